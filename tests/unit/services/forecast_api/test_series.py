"""Alignment, aggregation and filling, by the tables of the developer guide."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from services.forecast_api.errors import JobFailed
from services.forecast_api.frequency import parse
from services.forecast_api.predictors import Plan
from services.forecast_api.schemas import RELATED, TARGET, Schema
from services.forecast_api.series import Data, align, with_features

WEEKS = [f"2026-01-{day:02}" for day in (5, 12, 19, 26)]
SCHEMA = Schema(TARGET, {"item_id": "string", "timestamp": "timestamp", "demand": "float", "site": "string"}, "demand")
PRICES = Schema(RELATED, {"item_id": "string", "timestamp": "timestamp", "price": "float"}, "")
FILLED = {"middlefill": "mean", "backfill": "mean", "futurefill": "mean"}


def plan(frequency: str = "W", dimensions: tuple[str, ...] = (), horizon: int = 2, **filling: dict[str, str]) -> Plan:
    return Plan("group", horizon, ("0.5",), dimensions, parse(frequency), filling, 1, horizon, 1 / 4)


def orders(*rows: tuple[str, str, float | None], site: str = "north") -> pa.Table:
    items, times, values = zip(*rows, strict=True)
    return pa.table(
        {
            "item_id": pa.array(items, pa.string()),
            "timestamp": pa.array([datetime.fromisoformat(each) for each in times], pa.timestamp("s")),
            "demand": pa.array(values, pa.float64()),
            "site": pa.array([site] * len(rows), pa.string()),
        }
    )


def prices(*rows: tuple[str, str, float]) -> pa.Table:
    return orders(*rows).rename_columns(["item_id", "timestamp", "price", "site"]).drop_columns("site")


def values(data: Data) -> dict[str, list[float]]:
    return {" ".join(each.key): each.values.tolist() for each in data.series}


HOURS = orders(
    ("a", "2018-03-03 01:00:00", 100),
    ("a", "2018-03-03 02:20:00", 50),
    ("a", "2018-03-03 02:45:00", 20),
    ("a", "2018-03-03 04:00:00", 120),
)


@pytest.mark.parametrize(("aggregation", "second"), [("sum", 70), ("avg", 35), ("first", 50), ("min", 20), ("max", 50)])
def test_what_lies_between_the_hours_is_aggregated(aggregation: str, second: float) -> None:
    """The guide's example of an hourly forecast; the empty hour is filled with 0, the default."""
    found = align(HOURS, SCHEMA, plan("H", demand={"aggregation": aggregation}))
    assert values(found) == {"a": [100, second, 0, 120]}


def test_days_are_summed_to_weeks_that_begin_on_monday() -> None:
    found = align(orders(("a", "2026-01-04", 1), ("a", "2026-01-05", 2), ("a", "2026-01-11", 4)), SCHEMA, plan())
    assert values(found) == {"a": [1, 6]}


@pytest.mark.parametrize(
    ("method", "filled"),
    [("zero", 0), ("value", 7), ("median", 15), ("mean", 15), ("min", 10), ("max", 20)],
)
def test_gaps_are_filled_in_the_middle_and_at_the_back_and_never_in_front(method: str, filled: float) -> None:
    table = orders(("a", WEEKS[0], 1), ("a", WEEKS[3], 1), ("b", WEEKS[1], 10), ("b", WEEKS[2], 20))
    found = align(table, SCHEMA, plan(demand={"middlefill": method, "middlefill_value": "7", "backfill": "zero"}))
    assert values(found)["b"] == [10, 20, 0]
    gap = align(
        orders(("b", WEEKS[0], 10), ("b", WEEKS[2], 20)),
        SCHEMA,
        plan(demand={"middlefill": method, "middlefill_value": "7"}),
    )
    assert values(gap) == {"b": [10, filled, 20]}


def test_nan_stays_unknown_and_is_left_out_of_what_is_known() -> None:
    table = orders(("a", WEEKS[3], 1), ("b", WEEKS[0], 10), ("b", WEEKS[2], 20))
    found = align(table, SCHEMA, plan(demand={"middlefill": "nan", "backfill": "nan"}))
    (_, known) = found.known(found.last + 1, 2)
    assert known[1].boxes.tolist() == [10, 20]
    assert (np.diff(known[1].weeks) == 2).all()


def test_an_empty_value_is_a_gap() -> None:
    table = orders(("a", WEEKS[0], 1), ("a", WEEKS[1], None), ("a", WEEKS[2], 3))
    assert values(align(table, SCHEMA, plan())) == {"a": [1, 0, 3]}


def test_series_are_told_apart_by_dimensions_that_are_asked_for() -> None:
    table = pa.concat_tables([orders(("a", WEEKS[0], 1)), orders(("a", WEEKS[0], 2), site="south")])
    assert values(align(table, SCHEMA, plan())) == {"a": [3]}
    assert values(align(table, SCHEMA, plan(dimensions=("site",)))) == {"a north": [1], "a south": [2]}


def test_counts_are_not_negative() -> None:
    with pytest.raises(JobFailed, match="a has a negative demand"):
        align(orders(("a", WEEKS[0], -1)), SCHEMA, plan())


def test_features_reach_up_to_the_horizon_by_their_logarithm() -> None:
    table = orders(*(("a", week, 1.0) for week in WEEKS[:2]))
    asked = plan()
    data = with_features(
        align(table, SCHEMA, asked), prices(*(("a", week, float(at)) for at, week in enumerate(WEEKS))), PRICES, asked
    )
    assert data.series[0].features[:, 0].tolist() == pytest.approx(np.log1p([0, 1, 2, 3]))


def test_features_are_filled_where_they_are_asked_to_be() -> None:
    table = orders(*(("a", week, 1.0) for week in WEEKS[:3]))
    asked = plan(price={"middlefill": "value", "middlefill_value": "-1", "backfill": "min", "futurefill": "max"})
    found = with_features(align(table, SCHEMA, asked), prices(("a", WEEKS[0], 2), ("a", WEEKS[2], 4)), PRICES, asked)
    assert found.series[0].features[:, 0].tolist() == [2, -1, 4, 4, 4]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([("b", WEEKS[0], 1.0)], "price has no value for a at 2026-01-05"),
        ([("a", WEEKS[0], 1.0)], "price has no value for a at 2026-01-12"),
        ([("a", WEEKS[0], 1.0), ("a", WEEKS[1], 1.0)], "price has no value for a at 2026-01-19"),
    ],
)
def test_a_feature_that_is_missing_is_named_with_series_and_time(
    rows: list[tuple[str, str, float]], named: str
) -> None:
    table = orders(*(("a", week, 1.0) for week in WEEKS[:2]))
    with pytest.raises(JobFailed, match=named):
        with_features(align(table, SCHEMA, plan()), prices(*rows), PRICES, plan())


def test_a_feature_without_the_targets_dimension_is_of_all_its_series() -> None:
    table = pa.concat_tables([orders(("a", WEEKS[0], 1)), orders(("a", WEEKS[0], 2), site="south")])
    asked = plan(dimensions=("site",), price=FILLED)
    found = with_features(align(table, SCHEMA, asked), prices(("a", WEEKS[0], 3)), PRICES, asked)
    assert [each.features[0, 0] for each in found.series] == pytest.approx([np.log1p(3)] * 2)
