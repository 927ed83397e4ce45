"""Which repetition is given which fault: by the seed alone."""

from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.compare.faults import FORECAST_DOWN, KINDS, MOMENT, Drawn, Due, Faults, draw, spell
from contracts.component import AMAZON_FORECAST
from contracts.pipelines import ORDER_SIMULATION, ORDER_VOLUME_PIPELINE
from examples.two_stations import SUBJECT

DUE = Due(at=20.0, expected=5.0, buffer=10.0)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), runs=st.integers(1, 30), faults=st.sampled_from(sorted(KINDS)))
def test_the_same_seed_gives_the_same_faults(seed: int, runs: int, faults: Faults) -> None:
    drawn = draw(Random(seed), runs, faults, ORDER_SIMULATION)
    assert drawn == draw(Random(seed), runs, faults, ORDER_SIMULATION)
    assert len(drawn) == runs
    counts = [sum(one.kind == kind for one in drawn) for kind in KINDS[faults] if kind != FORECAST_DOWN]
    assert max(counts) - min(counts) <= 1, "each kind as often as any other"


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_fault_hits_whom_its_kind_can_hit(seed: int) -> None:
    components = {component.name: component for component in ORDER_SIMULATION.components}
    for one in draw(Random(seed), 8, "mixed", ORDER_SIMULATION):
        if one.component is None:
            assert one.kind == "nothing"
            continue
        if one.kind in KINDS["outage"]:
            assert ORDER_SIMULATION.graph.consumers(one.component), one
        if "permanently" in one.kind:
            assert components[one.component].fallback == one.kind.startswith("optional"), one


def test_a_pipeline_without_optional_components_is_given_none_of_their_faults() -> None:
    drawn = draw(Random(1), 14, "mixed", SUBJECT.pipeline)
    assert "optional handler raises permanently" not in {one.kind for one in drawn}
    assert {one.component for one in drawn if one.kind in KINDS["outage"]} == {"bread-planner"}


class Site:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.lines = {name: Line(name, self) for name in ("oven", "shop")}
        self.forecast = Line("forecast", self)
        self.workers = Workers(self)
        self.done: list[str] = []

    def places_of(self, component: str) -> list[str]:
        return [f"{component}/v1", f"{component}/v2"]


class Line:
    def __init__(self, name: str, site: Site) -> None:
        self.refuse = lambda: site.done.append(f"refuse {name}")
        self.restore = lambda: site.done.append(f"restore {name}")


class Workers:
    def __init__(self, site: Site) -> None:
        self.away: set[str] = set()
        self.kill = lambda *places: site.done.append(f"kill {', '.join(places)}")


def spelled(drawn: Drawn) -> Any:
    site = Site()
    return site, spell(cast(Any, site), drawn, DUE)


@pytest.mark.parametrize("kind", KINDS["outage"])
def test_an_outage_is_over_well_after_the_clocks_behind_it_have_struck(kind: Any) -> None:
    _, found = spelled(Drawn(kind, "oven", 1.4))
    assert (found.begins, found.ends) == (0.0, 20 + 5 + 14)


def test_a_worker_that_is_away_is_killed_and_not_replaced_until_it_is_over() -> None:
    site, found = spelled(Drawn("worker down longer than the buffer", "oven", 1.4))
    found.begin()
    assert (site.workers.away, site.done) == ({"oven/v1", "oven/v2"}, ["kill oven/v1, oven/v2"])
    found.end()
    assert site.workers.away == set()


def test_a_database_is_down_for_one_component_or_for_all() -> None:
    site, found = spelled(Drawn("database down longer than the buffer", "oven", 1.4))
    found.begin()
    found.end()
    assert site.done == ["refuse oven", "restore oven"]
    site, found = spelled(Drawn("database down for a moment", "oven"))
    assert (found.begins, found.ends) == (20.0, 20.0 + MOMENT)
    found.begin()
    found.end()
    assert site.done == ["refuse oven", "refuse shop", "restore oven", "restore shop"]


def test_amazon_forecast_is_down_for_all_that_call_it() -> None:
    site, found = spelled(Drawn(FORECAST_DOWN, "oven", 1.4))
    found.begin()
    found.end()
    assert site.done == ["refuse forecast", "restore forecast"]


def test_only_a_pipeline_that_calls_amazon_forecast_is_without_it() -> None:
    components = {component.name: component for component in ORDER_VOLUME_PIPELINE.components}
    drawn = [one for one in draw(Random(7), 16, "mixed", ORDER_VOLUME_PIPELINE) if one.kind == FORECAST_DOWN]
    assert len(drawn) == 2
    assert all(AMAZON_FORECAST in components[one.component or ""].uses for one in drawn)
    assert FORECAST_DOWN not in {one.kind for one in draw(Random(7), 16, "mixed", ORDER_SIMULATION)}


def test_a_fault_of_a_handler_breaks_nothing_around_it() -> None:
    assert spelled(Drawn("handler raises transiently", "oven"))[1] is None
