"""The planner's page: one HTML file that needs nothing else, neither a network nor a server."""

import base64
import hashlib
from importlib.resources import files

from services.publisher.page.changes import changes_section
from services.publisher.page.content import Content
from services.publisher.page.factory import factory_section
from services.publisher.page.markup import Markup, el, join
from services.publisher.page.numbers import counted, day, number, per_cent
from services.publisher.page.origin import origin_section, place_of, words


def render(content: Content) -> bytes:
    """The page as UTF-8. The same content gives the same bytes."""
    title = f"Forecast of {day(content.plan.date)}"
    body = el(
        "body",
        el(
            "header",
            el("h1", title),
            el("p", _subtitle(content), class_="about"),
            _degraded(content),
            _summary(content),
            _navigation(content),
        ),
        el(
            "main",
            changes_section(content),
            *(factory_section(content, factory) for factory in content.factories),
            origin_section(content),
            words(),
        ),
        Markup(f"<script>{_asset('page.js')}</script>"),
    )
    return f"<!doctype html>\n{el('html', _head(title), body, lang='en')}\n".encode()


def _head(title: str) -> Markup:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(_asset("page.js"))),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        Markup(f"<style>{_asset('style.css')}</style>"),
    )


def _policy(script: str) -> str:
    """Load nothing, and run no script but the page's own, whatever a name in the data may contain."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _subtitle(content: Content) -> str:
    weeks = content.plan.weeks
    ends = max(week.ends for week in weeks)
    return f"{counted(len(weeks), 'menu week')}, {day(content.weeks[0])} to {day(ends)}"


def _degraded(content: Content) -> Markup | None:
    """Before any number: what is not what it would have been."""
    if not content.degraded:
        return None
    items = (
        el("li", el("strong", place_of(each)), f": {each.by} instead. Why: ", el("span", each.why, class_="why"))
        for each in content.degraded
    )
    lead = el("p", el("strong", "Degraded."), " Parts of this forecast were replaced, because they could not be made:")
    return el("section", lead, el("ul", *items), class_="degraded", aria_label="Degraded")


def _summary(content: Content) -> Markup:
    recipes = {row.name for row in content.rows if row.kind == "recipe"}
    ingredients = {row.name for row in content.rows if row.kind == "ingredient"}
    orders = sum(row.mean for row in content.rows if row.kind == "recipe")
    figures = [
        (number(orders, 0), "orders expected, all weeks and factories"),
        (f"{len(content.factories)}", "factory" if len(content.factories) == 1 else "factories"),
        (f"{len(recipes):,}", "recipes"),
        (f"{len(ingredients):,}", "ingredients"),
    ]
    if moved := _moved(content):
        figures.insert(1, moved)
    return el("dl", *(el("div", el("dt", text), el("dd", value)) for value, text in figures), class_="figures")


def _moved(content: Content) -> tuple[str, str] | None:
    """How the P50 of the totals moved, summed over the weeks both publications have."""
    previous = content.previous
    if previous is None:
        return None
    both = [total for total in content.totals if (total.week, total.factory) in previous.totals]
    before = sum(previous.totals[total.week, total.factory] for total in both)
    if not before:
        return None
    now = sum(total.p50 for total in both)
    return per_cent((now - before) / before), f"since {day(previous.run_date)}, in the same weeks"


def _navigation(content: Content) -> Markup:
    places = [("changes", "What changed")]
    places += [(f"factory-{factory}", f"Factory {factory}") for factory in content.factories]
    places += [("origin", "How it was made")]
    find = el(
        "label",
        "Find ",
        el("input", type="search", id="find", placeholder="recipe or ingredient"),
        class_="find",
        hidden=True,
    )
    links = join(*(el("a", text, href=f"#{place}") for place, text in places))
    return el("nav", links, find, aria_label="On this page")
