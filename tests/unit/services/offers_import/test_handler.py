from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.amazon_forecast import POLLING
from contracts.data_extractor import HistoryExtracted
from contracts.dataset_group import DatasetGroupCreated
from contracts.offers_import import ImportOffers
from services.offers_import.handler import handle
from services.offers_import.offers import Week, weekly_offers
from services.runtime.resources import RELATED, Dataset, DatasetImport
from services.runtime.testing import AtOnce, local_context
from tests.support.plans import HISTORY, LAST_WEEK, WEEK, plan_of

GROUP = DatasetGroupCreated(dataset_group_arn="arn:group", waiting=POLLING)
OFFERS = pa.schema(
    [("week", pa.date32()), ("recipe", pa.string())]
    + [(name, pa.float64()) for name in ("price", "base_price", "emailer", "homepage")]
)


def was(back: int, region: str, recipe: str, price: float | None = None, **shown: bool) -> dict[str, Any]:
    return {"week": day(-back), "region": region, "recipe": recipe, "orders": 1.0, "price": price, **shown}


def will(ahead: int, recipe: str, price: float | None = None, **shown: float) -> dict[str, Any]:
    return {"week": day(ahead), "recipe": recipe, "price": price, **shown}


def day(ahead: int) -> date:
    return LAST_WEEK + ahead * WEEK


def weekly(*rows: dict[str, Any], coming: tuple[dict[str, Any], ...] = (), last: int = 2) -> list[Week]:
    ahead = pa.Table.from_pylist(list(coming), schema=OFFERS) if coming else None
    return weekly_offers([pa.Table.from_pylist(list(rows), schema=HISTORY)], LAST_WEEK, ahead, day(last))


def numbers(weeks: list[Week]) -> list[tuple[str, int, float | None, float | None]]:
    return [(each.region, (each.week - LAST_WEEK) // WEEK, each.price, each.promoted) for each in weeks]


def test_a_weeks_price_is_the_mean_of_its_recipes_however_many_centres_sell_them() -> None:
    rows = [was(0, "east", "pie", 8.0), was(0, "east", "pie", 10.0), was(0, "east", "ramen", 13.0)]
    assert numbers(weekly(*rows, last=0)) == [("east", 0, 11.0, None)]


def test_promoted_is_the_part_of_the_recipes_that_was_shown_anywhere() -> None:
    rows = (
        was(0, "east", "pie", 8.0, emailer=True),
        was(0, "east", "ramen", 8.0, emailer=False, homepage=False),
        was(0, "east", "stew", 8.0),
    )
    assert numbers(weekly(*rows, last=0)) == [("east", 0, 8.0, 0.5)]


def test_weeks_ahead_have_the_planned_offers_at_the_regions_own_level() -> None:
    """The east pays 10 where everywhere it is 15; between the history and the plan it is as usual."""
    rows = (was(0, "east", "pie", 10.0, emailer=False), was(0, "west", "pie", 20.0, emailer=True))
    coming = (will(2, "pie", 30.0, emailer=1.0), will(2, "ramen", 30.0, homepage=0.5))
    assert numbers(weekly(*rows, coming=coming)) == [
        ("east", 0, 10.0, 0.0),
        ("east", 1, 10.0, 0.0),
        ("east", 2, 20.0, 0.75),
        ("west", 0, 20.0, 1.0),
        ("west", 1, 20.0, 1.0),
        ("west", 2, 40.0, 0.75),
    ]


def test_what_is_unknown_is_as_usual_in_the_region_or_in_all() -> None:
    rows = (was(2, "east", "pie", 8.0), was(1, "east", "pie"), was(0, "east", "pie", 10.0), was(0, "west", "pie"))
    assert [(each[1], each[2]) for each in numbers(weekly(*rows, last=0))] == [(-2, 8), (-1, 9), (0, 10), (0, 9)]


def test_offers_of_the_past_and_orders_of_the_future_do_not_count() -> None:
    rows = (was(0, "east", "pie", 8.0), was(-1, "east", "pie", 99.0))
    assert numbers(weekly(*rows, coming=(will(0, "pie", 50.0),), last=1)) == [
        ("east", 0, 8.0, None),
        ("east", 1, 8.0, None),
    ]


PRICE = st.none() | st.floats(0.01, 1e4)
SHOWN = st.none() | st.booleans()
ROW = st.tuples(st.integers(0, 8), st.sampled_from("abc"), st.sampled_from(["pie", "ramen"]), PRICE, SHOWN, SHOWN)


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, min_size=1), st.lists(st.tuples(st.integers(1, 4), PRICE, st.none() | st.floats(0, 1))))
def test_no_week_is_missing_and_no_number(rows: list[Any], coming: list[Any]) -> None:
    found = weekly(
        *({**was(*row[:4]), "emailer": row[4], "homepage": row[5]} for row in rows),
        coming=tuple({**will(ahead, "pie", price), "emailer": shown} for ahead, price, shown in coming),
        last=4,
    )
    if all(row[3] is None for row in rows):
        assert found == []
        return
    firsts = {region: max(row[0] for row in rows if row[1] == region) for region in sorted({row[1] for row in rows})}
    assert [(each.region, each.week) for each in found] == [
        (region, day(ahead)) for region, first in firsts.items() for ahead in range(-first, 5)
    ]
    assert all(each.price is not None and each.price > 0 for each in found)
    assert len({each.promoted is None for each in found}) == 1
    assert all(each.promoted is None or 0 <= each.promoted <= 1 for each in found)


def imported(folder: Path, *rows: dict[str, Any]) -> tuple[str | None, AtOnce]:
    forecasting = AtOnce()
    ctx = local_context(folder, "offers-import", forecasting=forecasting)
    plan = plan_of(ctx, ahead=(2,))
    plan = plan.model_copy(
        update={"offers": ctx.write("o", pa.Table.from_pylist([will(2, "pie", 9.0)], schema=OFFERS))}
    )
    history = HistoryExtracted(history=ctx.write("history", pa.Table.from_pylist(list(rows), schema=HISTORY)))
    return handle(ImportOffers(plan=plan, group=GROUP, history=(history,)), ctx).dataset_arn, forecasting


def test_the_file_has_what_the_dataset_says(tmp_path: Path) -> None:
    arn, forecasting = imported(tmp_path, was(0, "east", "pie", 8.0, emailer=True))
    (dataset, _), (job, _) = forecasting.wanted
    assert isinstance(dataset, Dataset)
    assert isinstance(job, DatasetImport)
    assert (dataset.kind, list(dataset.columns)) == (RELATED, ["item_id", "timestamp", "price", "promoted"])
    assert arn == job.dataset == forecasting.arn(dataset)
    assert Path(job.file().removeprefix("file://")).read_text(encoding="utf-8").splitlines() == [
        "east,2026-11-14,8.0,1.0",
        "east,2026-11-21,8.0,1.0",
        "east,2026-11-28,9.0,1.0",
    ]


def test_promotions_of_which_nothing_is_known_are_no_column(tmp_path: Path) -> None:
    _, forecasting = imported(tmp_path, was(0, "east", "pie", 8.0))
    (dataset, _), _ = forecasting.wanted
    assert isinstance(dataset, Dataset)
    assert list(dataset.columns) == ["item_id", "timestamp", "price"]


@pytest.mark.parametrize("rows", [(), (was(0, "east", "pie", emailer=True),)])
def test_without_prices_there_is_no_dataset(tmp_path: Path, rows: tuple[dict[str, Any], ...]) -> None:
    arn, forecasting = imported(tmp_path, *rows)
    assert arn is None
    assert forecasting.wanted == []
