from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ContractViolation
from services.order_simulator.factories import Kitchens, factory_splits, read_kitchens

W1, W2, W3 = date(2026, 11, 28), date(2026, 12, 5), date(2026, 12, 12)
HOMES = {"east": "A", "west": "B"}
KITCHENS = Kitchens(("A", "B", "C"), {})
SCHEMA = pa.schema([("week", pa.date32()), ("region", pa.string()), ("boxes", pa.float64()), ("overflow", pa.bool_())])
UNABLE = pa.field("unable", pa.list_(pa.string()))


def network(*rows: tuple[date, str, float]) -> pa.Table:
    """As before there was a column unable."""
    columns = ("week", "region", "boxes")
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=SCHEMA)


def grouped(*rows: tuple[date, str, float, tuple[str, ...]]) -> pa.Table:
    columns = ("week", "region", "boxes", "unable")
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=SCHEMA.append(UNABLE))


def test_a_region_is_split_by_boxes() -> None:
    networks = {"A": network((W1, "east", 90), (W2, "east", 1)), "B": network((W1, "east", 30), (W1, "west", 50))}
    assert factory_splits(networks, W1, HOMES, KITCHENS) == {
        ("east", ()): {"A": 0.75, "B": 0.25},
        ("west", ()): {"B": 1.0},
    }


def test_a_network_of_another_date_stands_in_with_its_latest_earlier_week() -> None:
    networks = {"A": network((W1, "east", 10), (W2, "east", 30)), "B": network((W3, "east", 30), (W3, "west", 9))}
    assert factory_splits(networks, W3, HOMES, KITCHENS)["east", ()] == {"A": 0.5, "B": 0.5}


def test_a_network_with_later_weeks_only_stands_in_with_its_first() -> None:
    networks = {"A": network((W2, "east", 10), (W3, "east", 70)), "B": network((W1, "east", 10))}
    assert factory_splits(networks, W1, HOMES, KITCHENS)["east", ()] == {"A": 0.5, "B": 0.5}


def test_a_region_in_no_network_is_cooked_at_home() -> None:
    networks = {"A": network((W1, "east", 0), (W1, "elsewhere", 5)), "B": network()}
    assert factory_splits(networks, W1, HOMES, KITCHENS) == {
        ("east", ()): {"A": 1.0},
        ("west", ()): {"B": 1.0},
    }


def test_each_group_is_split_by_its_own_boxes() -> None:
    networks = {
        "A": grouped((W1, "east", 30, ()), (W1, "east", 8, ("B",))),
        "B": grouped((W1, "east", 10, ()), (W1, "west", 4, ())),
    }
    assert factory_splits(networks, W1, HOMES, KITCHENS, [(), ("B",)]) == {
        ("east", ()): {"A": 0.75, "B": 0.25},
        ("east", ("B",)): {"A": 1.0},
        ("west", ()): {"B": 1.0},
        ("west", ("B",)): {"A": 1.0},
    }


def test_a_group_that_is_in_no_network_is_split_as_the_region_by_those_who_can_cook_it() -> None:
    networks = {
        "A": network((W1, "east", 30)),
        "B": grouped((W1, "east", 10, ()), (W1, "east", 20, ("A",))),
        "C": grouped((W1, "east", 30, ("A",))),
    }
    splits = factory_splits(networks, W1, HOMES, KITCHENS, [("A",), ("C",), ("A", "B")])
    assert splits["east", ("A",)] == pytest.approx({"B": 0.4, "C": 0.6})
    assert splits["east", ("C",)] == {"A": 0.5, "B": 0.5}
    assert splits["east", ("A", "B")] == {"C": 1.0}
    assert splits["west", ("A", "B")] == {"C": 1.0}


def test_a_recipe_that_nobody_can_cook_is_refused() -> None:
    table = pa.table({"recipe": ["pie", "stew"], "factories": [["A", "B"], ["B"]]})
    kitchens = read_kitchens(["B", "A"], table)
    assert (kitchens.unable_to("stew"), kitchens.unable_to("soup")) == (("B",), ())
    assert [kitchens.can_cook(*each) for each in (("A", "stew"), ("B", "stew"), ("B", "soup"))] == [True, False, True]
    with pytest.raises(ContractViolation, match="no factory of the plan can cook pie"):
        kitchens.unable_to("pie")


UNABLES = st.sampled_from([(), ("A",), ("B",), ("C",), ("A", "B"), ("A", "C"), ("B", "C")])
ROWS = st.lists(
    st.tuples(st.sampled_from([W1, W2, W3]), st.sampled_from(["east", "west"]), st.floats(0, 1e6), UNABLES), max_size=8
)


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), ROWS),
    st.dictionaries(st.sampled_from(["A", "B", "C"]), ROWS),
    st.sets(UNABLES, min_size=1),
)
def test_splits_sum_to_one_over_those_who_can_cook(
    rows: dict[str, list[tuple[date, str, float, tuple[str, ...]]]],
    without_groups: dict[str, list[tuple[date, str, float, tuple[str, ...]]]],
    groups: set[tuple[str, ...]],
) -> None:
    networks = {factory: network(*(row[:3] for row in each)) for factory, each in without_groups.items()}
    networks |= {factory: grouped(*each) for factory, each in rows.items()}
    splits = factory_splits(networks, W2, HOMES, KITCHENS, groups)
    assert splits.keys() == {(region, unable) for region in HOMES for unable in groups}
    for (_, unable), split in splits.items():
        assert sum(split.values()) == pytest.approx(1)
        assert min(split.values()) >= 0
        assert not split.keys() & set(unable)
