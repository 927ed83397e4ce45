"""What the forecast was made from: data, parameters, and networks that were computed or reused."""

from contracts.configurator import Factory
from contracts.graph import WHOLE
from contracts.message import Replacement
from contracts.network_configuration import NETWORK_CONFIGURATION, FactoryNetworkConfigured
from services.publisher.page.content import Content
from services.publisher.page.markup import Child, Markup, el, join
from services.publisher.page.numbers import counted, day
from services.publisher.page.tables import Column, table


def origin_section(content: Content) -> Markup:
    return el("section", el("h2", "How it was made", id="origin"), _networks_table(content), _facts(content))


def _networks_table(content: Content) -> Markup | None:
    factories = {factory.key: factory for factory in content.plan.factories}
    rows = []
    for network in content.networks:
        origin = _origin(factories.get(network.factory), network, content)
        rows.append(el("tr", el("th", f"Factory {network.factory}", scope="row"), el("td", origin)))
    if not rows:
        return None
    columns = [Column("Factory", numeric=False, sorted_="ascending"), Column("Its network is", numeric=False)]
    return table("Networks: which regions' boxes each factory packs", columns, rows)


def _origin(factory: Factory | None, network: FactoryNetworkConfigured, content: Content) -> Markup:
    """A network that was reused is its factory's earlier result, which the plan holds."""
    if own := [
        each
        for each in network.degraded
        if each.component == NETWORK_CONFIGURATION.name and each.item == network.factory
    ]:
        return join(el("strong", "replaced"), f" by {own[0].by}")
    last = factory.last if factory else None
    if last is None or FactoryNetworkConfigured.model_validate(last.output) != network:
        return join("computed in this run")
    run = el("code", last.run_id)
    when = f"of {day(last.date)}: the pipeline does not compute it on a {content.plan.weekday.title()}"
    return join(el("strong", "reused"), " from run ", run, f" {when}")


def place_of(replaced: Replacement) -> str:
    return replaced.component if replaced.item == WHOLE else f"{replaced.component} of {replaced.item}"


def _facts(content: Content) -> Markup:
    plan = content.plan
    centres = {centre for batch in plan.batches for centre in batch.centres}
    facts: list[tuple[str, Child]] = [
        ("Run", el("code", content.run_id)),
        ("Order history", f"weeks of {day(plan.history.first_week)} to {day(plan.history.last_week)}"),
        ("Fulfilment centres", f"{len(centres):,}"),
        ("Assumed", f"{plan.recipes_per_box:g} recipes a box, {plan.portions_per_order:g} portions an order"),
        ("Seed of the simulation", str(plan.seed)),
        ("Content", join(counted(len(content.rows), "row"), ", sha256 ", el("code", content.sha256))),
        ("The same as a file", el("a", "forecast.csv", href="forecast.csv")),
    ]
    pairs = (el("div", el("dt", name), el("dd", value)) for name, value in facts)
    return el("dl", *pairs, class_="facts")


def words() -> Markup:
    """What the numbers mean."""
    return el(
        "p",
        "P10, P50 and P90: of 10 such weeks, one should stay below P10, five below P50, and nine below P90. ",
        "They come from simulated orders, so a total's P90 is not the sum of its parts' P90. ",
        "The bar beside an amount is its own range from zero to P90, with P10 to P90 shaded and a mark at P50. ",
        "A menu week runs Saturday to Friday and is named by its Saturday. ",
        "An order is one recipe for one household.",
        class_="about",
    )
