import math
import subprocess
import sys
from collections import defaultdict
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.configurator import Factory
from contracts.errors import BadData
from services.network_configuration.transport import Allocation, allocate, shares_of

WEEK = date(2026, 11, 28)
ROUNDING = 1e-5

Case = tuple[tuple[Factory, ...], dict[str, float]]


@st.composite
def feasible(draw: st.DrawFn) -> Case:
    """Factories and volumes that fit under the caps taken together, however tight each alone is."""
    homes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=9))
    volume = {f"r{n}": draw(st.floats(0, 1e6, allow_subnormal=False)) for n in range(len(homes))}
    parts = draw(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
    capacity = (math.fsum(volume.values()) + 1) * draw(st.floats(1.001, 2))
    factories = tuple(
        Factory(
            key=f"F{n}",
            weekly_cap=capacity * part / math.fsum(parts),
            regions=tuple(f"r{r}" for r, home in enumerate(homes) if home == n),
        )
        for n, part in enumerate(parts)
    )
    return factories, volume


@settings(deadline=None)
@given(feasible())
def test_every_box_is_cooked_once_under_the_caps(case: Case) -> None:
    factories, volume = case
    by_region: defaultdict[str, float] = defaultdict(float)
    by_factory: defaultdict[str, float] = defaultdict(float)
    for share in allocate(WEEK, factories, volume):
        assert share.boxes >= 0
        by_region[share.region] += share.boxes
        by_factory[share.factory] += share.boxes
    assert by_region == pytest.approx(volume, abs=ROUNDING, rel=1e-9)
    for factory in factories:
        assert by_factory[factory.key] <= factory.weekly_cap * (1 + 1e-9) + ROUNDING


@settings(deadline=None)
@given(feasible())
def test_only_what_a_home_cannot_hold_is_cooked_away(case: Case) -> None:
    factories, volume = case
    regions = {factory.key: factory.regions for factory in factories}
    away = sum(share.boxes for share in allocate(WEEK, factories, volume) if share.region not in regions[share.factory])
    least = sum(max(0.0, sum(volume[r] for r in factory.regions) - factory.weekly_cap) for factory in factories)
    assert away == pytest.approx(least, abs=ROUNDING, rel=1e-6)


@settings(deadline=None)
@given(feasible())
def test_the_answer_does_not_depend_on_the_order_of_the_input(case: Case) -> None:
    factories, volume = case
    assert allocate(WEEK, factories[::-1], dict(reversed(volume.items()))) == allocate(WEEK, factories, volume)


@settings(deadline=None)
@given(feasible(), st.randoms(use_true_random=False))
def test_staying_close_costs_no_box_away_from_home(case: Case, random: Random) -> None:
    factories, volume = case
    before = shares_of(
        Allocation(factory.key, region, random.choice([0.0, 1.0, random.random()]))
        for factory in factories
        for region in volume
    )
    regions = {factory.key: factory.regions for factory in factories}
    found = allocate(WEEK, factories, volume, before)
    away = sum(share.boxes for share in found if share.region not in regions[share.factory])
    least = sum(max(0.0, sum(volume[r] for r in factory.regions) - factory.weekly_cap) for factory in factories)
    assert away == pytest.approx(least, abs=ROUNDING, rel=1e-6)
    # Solved again from its own answer, it moves nothing.
    again = allocate(WEEK, factories, volume, shares_of(found))
    assert {(s.factory, s.region): s.boxes for s in again if s.boxes > 1e-3} == pytest.approx(
        {(s.factory, s.region): s.boxes for s in found if s.boxes > 1e-3}, abs=1e-2, rel=1e-6
    )


def test_the_region_that_went_elsewhere_before_goes_there_again() -> None:
    factories = (
        Factory(key="A", weekly_cap=100, regions=("r1", "r2")),
        Factory(key="B", weekly_cap=100, regions=()),
        Factory(key="C", weekly_cap=100, regions=()),
    )
    volume = {"r1": 80.0, "r2": 70.0}
    for region, factory in (("r1", "B"), ("r1", "C"), ("r2", "B"), ("r2", "C")):
        other = "r2" if region == "r1" else "r1"
        before = {(factory, region): 0.8, ("A", region): 0.2, ("A", other): 1.0}
        away = [share for share in allocate(WEEK, factories, volume, before) if share.factory != "A"]
        assert [(share.factory, share.region) for share in away] == [(factory, region)]
        assert away[0].boxes == pytest.approx(50)


def test_shares_are_of_each_regions_boxes() -> None:
    found = shares_of([Allocation("A", "r1", 30), Allocation("B", "r1", 10), Allocation("A", "r2", 0)])
    assert found == {("A", "r1"): 0.75, ("B", "r1"): 0.25}


def test_a_home_row_stays_when_another_factory_cooks_it_all() -> None:
    factories = (
        Factory(key="A", weekly_cap=10, regions=("r1", "r2")),
        Factory(key="B", weekly_cap=100, regions=("r3",)),
    )
    shares = allocate(WEEK, factories, {"r1": 10, "r2": 0, "r3": 50})
    assert Allocation("A", "r2", 0.0) in shares
    assert [share for share in shares if share.factory == "B"] == [Allocation("B", "r3", 50.0)]


def test_caps_that_cannot_hold_the_volume_name_week_factories_and_excess() -> None:
    factories = (
        Factory(key="A", weekly_cap=400, regions=("r1",)),
        Factory(key="B", weekly_cap=600, regions=("r2",)),
    )
    with pytest.raises(BadData) as caught:
        allocate(WEEK, factories, {"r1": 700, "r2": 534})
    assert str(caught.value) == (
        "caps cannot hold week 2026-11-28: factories A and B pack 1,000 boxes, the volume is 1,234 "
        "(234 over; tightest: A, whose own regions are 300 over its cap): raise weekly_cap or load another factory"
    )


def test_a_volume_of_exactly_the_caps_fits() -> None:
    factory = Factory(key="A", weekly_cap=0.3, regions=("r1", "r2"))
    assert allocate(WEEK, (factory,), {"r1": 0.1, "r2": 0.2 - 1e-9})


def test_the_solver_writes_nothing_to_the_standard_output() -> None:
    code = (
        "from datetime import date; from contracts.configurator import Factory;"
        "from services.network_configuration.transport import allocate;"
        "allocate(date(2026, 11, 28), (Factory(key='A', weekly_cap=2, regions=('r',)),), {'r': 1.0})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
