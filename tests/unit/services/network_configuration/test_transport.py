import math
import subprocess
import sys
from collections import defaultdict
from datetime import date
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.configurator import Factory
from contracts.errors import BadData
from services.network_configuration.demand import Demand, Lot
from services.network_configuration.transport import Allocation, allocate, shares_of

WEEK = date(2026, 11, 28)
ROUNDING = 1e-5

Case = tuple[tuple[Factory, ...], dict[str, float]]


def demand(volume: dict[str, float]) -> Demand:
    """Boxes by region, of one recipe that every factory can cook."""
    return Demand(WEEK, {Lot(region): boxes for region, boxes in volume.items()}, {(): ("pie",)})


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
    for share in allocate(demand(volume), factories):
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
    away = sum(
        share.boxes for share in allocate(demand(volume), factories) if share.region not in regions[share.factory]
    )
    least = sum(max(0.0, sum(volume[r] for r in factory.regions) - factory.weekly_cap) for factory in factories)
    assert away == pytest.approx(least, abs=ROUNDING, rel=1e-6)


@settings(deadline=None)
@given(feasible())
def test_the_answer_does_not_depend_on_the_order_of_the_input(case: Case) -> None:
    factories, volume = case
    assert allocate(demand(dict(reversed(volume.items()))), factories[::-1]) == allocate(demand(volume), factories)


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
    found = allocate(demand(volume), factories, before=before)
    away = sum(share.boxes for share in found if share.region not in regions[share.factory])
    least = sum(max(0.0, sum(volume[r] for r in factory.regions) - factory.weekly_cap) for factory in factories)
    assert away == pytest.approx(least, abs=ROUNDING, rel=1e-6)
    # Solved again from its own answer, it moves nothing.
    again = allocate(demand(volume), factories, before=shares_of(found))
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
        before = {(factory, Lot(region)): 0.8, ("A", Lot(region)): 0.2, ("A", Lot(other)): 1.0}
        away = [share for share in allocate(demand(volume), factories, before=before) if share.factory != "A"]
        assert [(share.factory, share.region) for share in away] == [(factory, region)]
        assert away[0].boxes == pytest.approx(50)


def test_shares_are_of_each_regions_boxes() -> None:
    found = shares_of([Allocation("A", "r1", 30), Allocation("B", "r1", 10), Allocation("A", "r2", 0)])
    assert found == {("A", Lot("r1")): 0.75, ("B", Lot("r1")): 0.25}


def test_a_home_row_stays_when_another_factory_cooks_it_all() -> None:
    factories = (
        Factory(key="A", weekly_cap=10, regions=("r1", "r2")),
        Factory(key="B", weekly_cap=100, regions=("r3",)),
    )
    shares = allocate(demand({"r1": 10, "r2": 0, "r3": 50}), factories)
    assert Allocation("A", "r2", 0.0) in shares
    assert [share for share in shares if share.factory == "B"] == [Allocation("B", "r3", 50.0)]


def test_caps_that_cannot_hold_the_volume_name_week_factories_and_excess() -> None:
    factories = (
        Factory(key="A", weekly_cap=400, regions=("r1",)),
        Factory(key="B", weekly_cap=600, regions=("r2",)),
    )
    with pytest.raises(BadData) as caught:
        allocate(demand({"r1": 700, "r2": 534}), factories)
    assert str(caught.value) == (
        "caps cannot hold week 2026-11-28: factories A and B pack 1,000 boxes, the volume is 1,234 "
        "(234 over; tightest: A, whose own regions are 300 over its cap): raise weekly_cap or load another factory"
    )


def test_a_volume_of_exactly_the_caps_fits() -> None:
    factory = Factory(key="A", weekly_cap=0.3, regions=("r1", "r2"))
    assert allocate(demand({"r1": 0.1, "r2": 0.2 - 1e-9}), (factory,))


@st.composite
def restricted(draw: st.DrawFn) -> tuple[tuple[Factory, ...], Demand]:
    """Three factories and lots that some of them cannot cook, feasible or not."""
    keys = ("A", "B", "C")
    unables = st.sampled_from([(), ("A",), ("B",), ("C",), ("A", "B"), ("A", "C"), ("B", "C")])
    lots = draw(
        st.dictionaries(
            st.builds(Lot, st.sampled_from(["r0", "r1", "r2"]), unables), st.integers(0, 1000).map(float), min_size=1
        )
    )
    caps = draw(st.lists(st.integers(1, 2000), min_size=3, max_size=3))
    factories = tuple(
        Factory(key=key, weekly_cap=cap, regions=(f"r{n}",))
        for n, (key, cap) in enumerate(zip(keys, caps, strict=True))
    )
    groups = sorted({lot.unable for lot in lots})
    return factories, Demand(WEEK, lots, {unable: (f"not at {'+'.join(unable)}",) for unable in groups})


def most_over(factories: tuple[Factory, ...], demand: Demand) -> float:
    """Of all sets of factories, the most by which what only they can cook exceeds their caps (P. Hall 1935)."""
    sets = [chosen for size in range(4) for chosen in combinations(factories, size)]
    return max(
        sum(
            boxes
            for lot, boxes in demand.boxes.items()
            if {f.key for f in factories} - set(lot.unable) <= {f.key for f in chosen}
        )
        - sum(factory.weekly_cap for factory in chosen)
        for chosen in sets
    )


@settings(deadline=None, max_examples=300)
@given(restricted())
def test_a_week_is_cooked_by_those_who_can_or_it_says_by_how_much_it_is_over(
    case: tuple[tuple[Factory, ...], Demand],
) -> None:
    factories, demand = case
    over = most_over(factories, demand)
    if over > 0:
        with pytest.raises(BadData, match=rf"caps cannot hold week 2026-11-28: .* \({over:,.0f} over; "):
            allocate(demand, factories)
        return
    found = allocate(demand, factories)
    by_lot: defaultdict[Lot, float] = defaultdict(float)
    by_factory: defaultdict[str, float] = defaultdict(float)
    for each in found:
        assert each.boxes >= 0
        assert each.factory not in each.unable
        by_lot[each.lot] += each.boxes
        by_factory[each.factory] += each.boxes
    assert {lot: by_lot[lot] for lot in demand.boxes} == pytest.approx(dict(demand.boxes), abs=ROUNDING)
    for factory in factories:
        assert by_factory[factory.key] <= factory.weekly_cap + ROUNDING
    again = allocate(demand, factories, before=shares_of(found))
    assert {(a.factory, a.lot): a.boxes for a in again} == pytest.approx(
        {(a.factory, a.lot): a.boxes for a in found}, abs=1e-2
    )


def test_a_recipe_that_only_one_can_cook_pushes_others_out_of_its_cap() -> None:
    factories = (Factory(key="A", weekly_cap=100, regions=("r1",)), Factory(key="B", weekly_cap=100, regions=("r2",)))
    boxes = {Lot("r1"): 60.0, Lot("r1", ("B",)): 30.0, Lot("r2"): 20.0, Lot("r2", ("B",)): 40.0}
    found = allocate(Demand(WEEK, boxes, {(): ("pie",), ("B",): ("stew",)}), factories)
    assert {(a.factory, a.lot): a.boxes for a in found} == pytest.approx(
        {
            ("A", Lot("r1")): 30,
            ("A", Lot("r1", ("B",))): 30,
            ("A", Lot("r2", ("B",))): 40,
            ("B", Lot("r1")): 30,
            ("B", Lot("r2")): 20,
        }
    )


def test_caps_that_cannot_hold_what_only_they_can_cook_name_the_recipes() -> None:
    factories = (
        Factory(key="A", weekly_cap=60, regions=("r1",)),
        Factory(key="B", weekly_cap=40, regions=("r2",)),
        Factory(key="C", weekly_cap=500, regions=()),
    )
    boxes = {Lot("r1", ("C",)): 70.0, Lot("r2", ("B", "C")): 50.5, Lot("r2"): 100.0}
    recipes = {("C",): ("pie", "stew"), ("B", "C"): ("bun", "miso"), (): ("soup",)}
    with pytest.raises(BadData) as caught:
        allocate(Demand(WEEK, boxes, recipes), factories)
    assert str(caught.value) == (
        "caps cannot hold week 2026-11-28: factories A and B pack 100 boxes, what no other factory can cook is 120 "
        "(21 over; bun, miso, pie and 1 more): raise weekly_cap there, take rows out of cannot_cook.csv or recipes off the menu"
    )


def lanes(factories: tuple[Factory, ...], **by_factory: tuple[float, ...]) -> dict[tuple[str, str], float]:
    regions = sorted(region for factory in factories for region in factory.regions)
    return {
        (key, region): cost for key, costs in by_factory.items() for region, cost in zip(regions, costs, strict=True)
    }


TWO = (Factory(key="A", weekly_cap=100, regions=("r1", "r2")), Factory(key="B", weekly_cap=100, regions=("r3",)))


def cooked(found: tuple[Allocation, ...]) -> dict[tuple[str, str], float]:
    return {(each.factory, each.region): each.boxes for each in found if each.boxes}


def test_boxes_go_where_they_cost_least_whatever_is_home() -> None:
    costs = lanes(TWO, A=(5, 6, 4), B=(9, 5.5, 9))
    found = allocate(demand({"r1": 40, "r2": 30, "r3": 20}), TWO, costs)
    assert cooked(found) == pytest.approx({("A", "r1"): 40, ("B", "r2"): 30, ("A", "r3"): 20})


def test_what_a_cap_cannot_hold_goes_where_the_detour_costs_least() -> None:
    costs = lanes(TWO, A=(5, 5, 9), B=(7, 6, 5))
    found = allocate(demand({"r1": 80, "r2": 70, "r3": 20}), TWO, costs)
    assert cooked(found) == pytest.approx({("A", "r1"): 80, ("A", "r2"): 20, ("B", "r2"): 50, ("B", "r3"): 20})


@pytest.mark.parametrize("price", [0.0, 3.0])
def test_where_all_cost_the_same_home_cooks(price: float) -> None:
    found = allocate(demand({"r1": 40, "r2": 30, "r3": 20}), TWO, lanes(TWO, A=(price,) * 3, B=(price,) * 3))
    assert cooked(found) == pytest.approx({("A", "r1"): 40, ("A", "r2"): 30, ("B", "r3"): 20})


@pytest.mark.parametrize(("saved", "cook"), [(0.02, "A"), (0.10, "B")])
@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_a_box_moves_when_that_saves_more_than_a_hundredth_of_its_cost(saved: float, cook: str, unit: float) -> None:
    """Also beside a lane so dear that nobody should take it."""
    costs = lanes(TWO, A=(5, 5, 9999), B=(5 - saved, 5, 5))
    in_unit = {lane: cost * unit for lane, cost in costs.items()}
    before = {("A", Lot("r1")): 1.0, ("A", Lot("r2")): 1.0, ("B", Lot("r3")): 1.0}
    found = allocate(demand({"r1": 40, "r2": 30, "r3": 20}), TWO, in_unit, before)
    assert cooked(found) == pytest.approx({(cook, "r1"): 40, ("A", "r2"): 30, ("B", "r3"): 20})


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), st.integers(0, 60), min_size=1),
    st.lists(st.integers(0, 50), min_size=6, max_size=6),
)
def test_two_factories_cost_as_little_as_can_be(volume: dict[str, int], prices: list[int]) -> None:
    """With two, the cheapest network fills A with what B would do at the highest extra cost."""
    costs = lanes(TWO, A=tuple(prices[:3]), B=tuple(prices[3:]))
    found = allocate(demand({region: float(boxes) for region, boxes in volume.items()}), TWO, costs)
    extra = sorted(
        (costs["B", region] - costs["A", region] for region, boxes in volume.items() for _ in range(boxes)),
        reverse=True,
    )
    total = len(extra)
    least = min(sum(extra[at_a:]) for at_a in range(max(0, total - 100), min(100, total) + 1))
    at_a = sum(costs["A", region] * boxes for region, boxes in volume.items())
    paid = sum(costs[each.factory, each.region] * each.boxes for each in found)
    assert paid == pytest.approx(at_a + least, abs=0.05)


def test_the_solver_writes_nothing_to_the_standard_output() -> None:
    code = (
        "from datetime import date; from contracts.configurator import Factory;"
        "from services.network_configuration.demand import Demand, Lot;"
        "from services.network_configuration.transport import allocate;"
        "demand = Demand(date(2026, 11, 28), {Lot('r'): 1.0}, {(): ('pie',)});"
        "allocate(demand, (Factory(key='A', weekly_cap=2, regions=('r',)),))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
