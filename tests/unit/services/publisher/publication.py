"""A small publication for tests of the page: two factories, two weeks."""

from collections.abc import Sequence
from datetime import date, timedelta

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.message import DatasetRef, EarlierResult
from contracts.network_configuration import FactoryNetworkConfigured
from services.publisher.page.content import Content
from services.publisher.previous import Previous
from services.publisher.totals import Total
from services.runtime.canonical import Row

W1, W2 = date(2026, 11, 28), date(2026, 12, 5)
LAST = date(2026, 11, 14)


def reference(name: str) -> DatasetRef:
    return DatasetRef(uri=f"s3://bucket/{name}", rows=1, sha256="0" * 64)


def row(
    p50: float, name: str = "pie", factory: str = "A", week: date = W1, kind: str = "recipe", unit: str = "orders"
) -> Row:
    return Row(week, factory, kind, name, unit, p50 * 1.1, p50 * 0.8, p50, p50 * 1.5)


def total(p50: float, factory: str = "A", week: date = W1) -> Total:
    return Total(week, factory, "orders", p50 * 1.1, p50 * 0.8, p50, p50 * 1.5)


ROWS = [
    row(12_500.0, "flour", kind="ingredient", unit="g"),
    row(480.0, "water", kind="ingredient", unit="ml"),
    row(100.0, "pie"),
    row(250.0, "soup"),
    row(40.0, "pie", factory="B"),
    row(110.0, "pie", week=W2),
]
TOTALS = [total(350.0), total(40.0, "B"), total(110.0, week=W2)]


def network(factory: str, run: str = "this") -> FactoryNetworkConfigured:
    return FactoryNetworkConfigured(factory=factory, network=reference(f"{run}/{factory}"))


def earlier_network(factory: str) -> EarlierResult:
    output = network(factory, "earlier").model_dump(mode="json")
    return EarlierResult(run_id="earlier-run", date=date(2026, 11, 18), output=output)


def plan(cap: float = 200.0, weeks: Sequence[date] = (W1, W2)) -> RunPlanned:
    return RunPlanned(
        date=date(2026, 11, 27),
        weekday="friday",
        seed=3,
        history=History(first_week=date(2026, 9, 12), last_week=LAST),
        weeks=tuple(MenuWeek(key=week.isoformat(), starts=week, recipes=("pie",)) for week in weeks),
        factories=(
            Factory(key="A", weekly_cap=cap, regions=("north", "south"), last=earlier_network("A")),
            Factory(key="B", weekly_cap=cap, regions=(), last=earlier_network("B")),
        ),
        batches=(Batch(key="b1", centres=("1", "2")), Batch(key="b2", centres=("3",))),
        recipe_book=reference("book"),
        recipes_per_box=3.0,
        portions_per_order=2.0,
    )


def content(
    rows: Sequence[Row] = ROWS,
    totals: Sequence[Total] = TOTALS,
    previous: Previous | None = None,
    cap: float = 200.0,
    kinds: dict[str, str] | None = None,
    history_weeks: int = 10,
) -> Content:
    weeks = [LAST - timedelta(weeks=back) for back in reversed(range(history_weeks))]
    return Content(
        run_id="2026-11-27-orchestrated-1a2b3c",
        plan=plan(cap),
        rows=rows,
        totals=totals,
        history={"A": {week: 300.0 + number for number, week in enumerate(weeks)}} if weeks else {},
        networks=(network("A"), network("B", "earlier")),
        sha256="ab" * 32,
        previous=previous,
        kinds_of_food={"pie": "Baked, British"} if kinds is None else kinds,
    )
