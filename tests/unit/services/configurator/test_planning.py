import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.configurator import Factory
from contracts.errors import BadData
from services.configurator.handler import batches, factories


@settings(deadline=None)
@given(st.lists(st.integers(1, 999).map(str), min_size=1, unique=True))
def test_batches_partition_the_centres_evenly_in_any_order(centres: list[str]) -> None:
    found = batches(centres)
    assert sorted(centre for batch in found for centre in batch.centres) == sorted(centres)
    assert len(found) == min(8, len(centres))
    sizes = [len(batch.centres) for batch in found]
    assert max(sizes) - min(sizes) <= 1
    assert [batch.key for batch in found] == [f"b{n}" for n in range(1, len(found) + 1)]
    assert found == batches(sorted(centres))


def test_no_centres_say_what_to_load() -> None:
    with pytest.raises(BadData, match=r"no fulfilment centres are loaded: .*brigade load"):
        batches([])


def test_factories_and_their_regions_are_sorted() -> None:
    assert factories({"B": 20.0, "A": 10.0}, {"r3": "A", "r1": "A", "r2": "B"}) == (
        Factory(key="A", weekly_cap=10.0, regions=("r1", "r3")),
        Factory(key="B", weekly_cap=20.0, regions=("r2",)),
    )


@pytest.mark.parametrize("cap", [0.0, -5.0, math.inf, math.nan])
def test_a_factory_that_cannot_cook_is_named(cap: float) -> None:
    with pytest.raises(BadData, match="factory B has a weekly cap of"):
        factories({"A": 10.0, "B": cap}, {})


def test_no_factories_say_what_to_load() -> None:
    with pytest.raises(BadData, match=r"no factories are loaded: .*brigade load"):
        factories({}, {})
