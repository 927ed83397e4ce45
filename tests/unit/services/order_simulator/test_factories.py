from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order_simulator.factories import factory_splits

W1, W2, W3 = date(2026, 11, 28), date(2026, 12, 5), date(2026, 12, 12)
HOMES = {"east": "A", "west": "B"}
SCHEMA = pa.schema([("week", pa.date32()), ("region", pa.string()), ("boxes", pa.float64()), ("overflow", pa.bool_())])


def network(*rows: tuple[date, str, float]) -> pa.Table:
    columns = ("week", "region", "boxes")
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=SCHEMA)


def test_a_region_is_split_by_boxes() -> None:
    networks = {"A": network((W1, "east", 90), (W2, "east", 1)), "B": network((W1, "east", 30), (W1, "west", 50))}
    assert factory_splits(networks, W1, HOMES) == {"east": {"A": 0.75, "B": 0.25}, "west": {"B": 1.0}}


def test_a_network_of_another_date_stands_in_with_its_latest_earlier_week() -> None:
    networks = {"A": network((W1, "east", 10), (W2, "east", 30)), "B": network((W3, "east", 30), (W3, "west", 9))}
    assert factory_splits(networks, W3, HOMES)["east"] == {"A": 0.5, "B": 0.5}


def test_a_network_with_later_weeks_only_stands_in_with_its_first() -> None:
    networks = {"A": network((W2, "east", 10), (W3, "east", 70)), "B": network((W1, "east", 10))}
    assert factory_splits(networks, W1, HOMES)["east"] == {"A": 0.5, "B": 0.5}


def test_a_region_in_no_network_is_cooked_at_home() -> None:
    networks = {"A": network((W1, "east", 0), (W1, "elsewhere", 5)), "B": network()}
    assert factory_splits(networks, W1, HOMES) == {"east": {"A": 1.0}, "west": {"B": 1.0}}


ROWS = st.lists(
    st.tuples(st.sampled_from([W1, W2, W3]), st.sampled_from(["east", "west"]), st.floats(0, 1e6)), max_size=8
)


@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), ROWS))
def test_splits_sum_to_one(rows: dict[str, list[tuple[date, str, float]]]) -> None:
    splits = factory_splits({factory: network(*each) for factory, each in rows.items()}, W2, HOMES)
    assert splits.keys() == HOMES.keys()
    for share in splits.values():
        assert sum(share.values()) == pytest.approx(1)
