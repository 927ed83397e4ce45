"""What squads agree on, as one HTML file that needs nothing else: `docs/catalogue.html`."""

from contracts.graph import Node
from contracts.pipeline import Pipeline
from orchestrator.catalogue.content import Content, Given, Station, read
from orchestrator.catalogue.stations import by, section
from orchestrator.page.diagram import Box, drawing
from orchestrator.page.document import asset, document
from orchestrator.page.markup import Child, Markup, el, join
from orchestrator.page.words import counted

COLOURS = 8
"""The squads' colours of catalogue.css, by number; a ninth squad shares the first's. The name is always beside it."""


def text(pipelines: tuple[Pipeline, ...]) -> str:
    """The page. Without a script: everything is there, and what is folded opens by itself."""
    content = read(pipelines)
    body = el(
        "body",
        el(
            "header",
            el("h1", "Catalogue"),
            _summary(content),
            *(_pipeline(pipeline, content) for pipeline in pipelines),
        ),
        el("div", _navigation(content), el("main", _events(content), *_squads(content)), class_="columns"),
    )
    return document("Catalogue of components and messages", body, asset(__package__, "catalogue.css"))


def _summary(content: Content) -> Markup:
    messages = sum(1 + len(station.gives) for station in content.stations)
    who = f"{counted(len(content.stations), 'component')} of {counted(len(content.squads), 'squad')}"
    said = f"{who}, and the {counted(messages, 'message')} they agree on. Written by "
    return el("p", said, el("code", "brigade render"), " from what they declare.", class_="headline")


def _colour(squad: str, content: Content) -> str:
    return f"--at:var(--squad-{list(content.squads).index(squad) % COLOURS})"


def _pipeline(pipeline: Pipeline, content: Content) -> Markup:
    graph, schedule = pipeline.graph, pipeline.schedule
    said = "; ".join(f"{c.name}: {c.squad}" for c in pipeline.components)
    squads = {component.name: component.squad for component in pipeline.components}

    def box(component: str) -> Box:
        squad = squads[component]
        return Box((squad, _repeated(graph.node(component))), f"#{component}", "box", _colour(squad, content))

    return el(
        "figure",
        el(
            "figcaption",
            f"The pipeline {pipeline.name}. A thick arrow carries the results of every item.",
            join(" It starts by itself at ", el("code", schedule.expression), ", UTC.") if schedule else None,
        ),
        el("div", drawing(graph, box, said, upright=False), class_="wide"),
        el("div", drawing(graph, box, said, upright=True), class_="narrow"),
    )


def _repeated(node: Node) -> str:
    return f"for each of {node.over}" if node.over else ""


def _navigation(content: Content) -> Markup:
    squads = (
        el(
            "li",
            el("a", squad, href=f"#squad-{squad}", class_="squad", style=_colour(squad, content)),
            el("ul", *(el("li", el("a", s.component.name, href=f"#{s.component.name}")) for s in stations)),
        )
        for squad, stations in content.squads.items()
    )
    return el("nav", el("ul", *squads), aria_label="Squads and their components")


def _events(content: Content) -> Markup:
    head = el("tr", *(el("th", name, scope="col") for name in ("Event", "Given by", "Taken by")))
    rows = (_event(given, station) for station in content.stations for given in station.gives)
    table = el("table", el("caption", "Every event"), el("thead", head), el("tbody", *rows), class_="events")
    return el("section", el("h2", "Events"), table, class_="overview")


def _event(given: Given, station: Station) -> Markup:
    takers: list[Child] = [el("div", by(taker)) for taker in given.takers]
    if given.announced:
        takers.append(el("div", "readers outside the pipelines"))
    name = el("th", el("a", el("code", given.message), href=f"#{given.message}"), scope="row")
    return el("tr", name, el("td", by(station.component)), el("td", join(*takers) if takers else "nobody"))


def _squads(content: Content) -> list[Markup]:
    return [
        el(
            "section",
            el("h2", el("span", "Squad ", class_="soft"), squad),
            *(section(content, station) for station in stations),
            id=f"squad-{squad}",
            class_="of-squad",
            style=_colour(squad, content),
        )
        for squad, stations in content.squads.items()
    ]
