"""The simulation: steps that wait for each other, slots, quotas, and distributions through published quantiles."""

from dataclasses import dataclass
from random import Random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.pipeline import COOK, MEAL, PLANNER, SAUCIER, SERVER, SOMMELIER
from contracts.errors import BadData
from orchestrator.compare.facts import Quantiles, Quota, aws_facts
from orchestrator.compare.latencies import Shifted, fit
from orchestrator.compare.on_aws import Bucket, by_clocks, cells, critical, scale
from orchestrator.compare.recorded import Clock
from orchestrator.compare.simulation import Plan, SimStep, simulate

DIAMOND = (
    SimStep("plan", "plan", (), 1.0),
    SimStep("cook/a", "cook", (0,), 2.0),
    SimStep("cook/b", "cook", (0,), 5.0),
    SimStep("serve", "serve", (1, 2), 1.0),
)


@dataclass
class Fixed:
    hop: float = 0.0
    again: float = 0.0
    end: float = 0.0

    def delivery(self, step: SimStep, now: float) -> float:
        return self.hop

    def turn(self, step: SimStep) -> float:
        return self.again

    def finish(self) -> float:
        return self.end


def test_without_coordination_a_run_takes_its_critical_path() -> None:
    assert simulate([Plan.of(DIAMOND)], Fixed()) == [critical(DIAMOND)] == [7.0]


def test_each_hop_on_the_longest_chain_counts_and_so_does_the_end() -> None:
    assert simulate([Plan.of(DIAMOND)], Fixed(hop=0.5, end=0.25)) == [7.0 + 3 * 0.5 + 0.25]


def test_steps_of_a_component_wait_for_a_slot() -> None:
    """The second course is cooked after the first, and its worker polls in between."""
    assert simulate([Plan.of(DIAMOND)], Fixed(again=0.5), {"cook": 1}) == [1 + 2 + 0.5 + 5 + 1]
    assert simulate([Plan.of(DIAMOND)], Fixed(again=0.5), {"cook": 2}) == [7.0]


def test_runs_at_once_share_the_slots() -> None:
    walls = simulate([Plan.of(DIAMOND)] * 3, Fixed(), {"plan": 1})
    assert sorted(walls) == [7.0, 8.0, 9.0]


def test_a_bucket_gives_its_tokens_at_once_and_then_at_its_rate() -> None:
    bucket = Bucket(Quota(bucket=10, refill=2))
    waits = [bucket.wait(0.0) for _ in range(14)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert bucket.wait(100.0) == 0.0


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60).map(sorted), st.integers(1, 20), st.integers(1, 20))
def test_no_more_pass_a_bucket_than_it_holds_and_regains(asked: list[float], size: int, refill: int) -> None:
    bucket = Bucket(Quota(bucket=size, refill=refill))
    passed = sorted(at + bucket.wait(at) for at in asked)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= size + refill * (passed[last] - passed[first]) + 1e-6


@pytest.mark.parametrize("service", ["sqs", "sns", "states"])
def test_a_fit_goes_through_what_was_published(service: str) -> None:
    published: Quantiles = getattr(aws_facts().latencies, service)
    fitted = fit(published)
    for share, milliseconds in ((0.5, published.p50), (0.9, published.p90), (0.99, published.p99)):
        assert fitted.quantile(share) * 1000 == pytest.approx(milliseconds, rel=1e-6)


@pytest.mark.parametrize(("service", "p10"), [("sqs", 13.7), ("sns", 62.0), ("states", 115.0)])
def test_a_fit_is_near_the_published_quantile_that_it_was_not_given(service: str, p10: float) -> None:
    assert fit(getattr(aws_facts().latencies, service)).quantile(0.1) * 1000 == pytest.approx(p10, rel=0.15)


@given(st.floats(0.001, 0.2), st.floats(-6, -1), st.floats(0.1, 2))
def test_a_fit_finds_the_distribution_that_quantiles_came_from(shift: float, mu: float, sigma: float) -> None:
    true = Shifted(shift, mu, sigma)
    p50, p90, p99 = (true.quantile(share) * 1000 for share in (0.5, 0.9, 0.99))
    found = fit(Quantiles(p50=p50, p90=p90, p99=p99))
    assert (found.shift, found.mu, found.sigma) == pytest.approx((shift, mu, sigma), rel=1e-3, abs=1e-4)


def test_draws_have_the_quantiles() -> None:
    fitted, random = fit(aws_facts().latencies.states), Random(3)
    drawn = quantiles([fitted.draw(random) for _ in range(20_000)], n=100)
    assert [drawn[49] * 1000, drawn[89] * 1000, drawn[98] * 1000] == pytest.approx([142, 204, 313], rel=0.03)


@pytest.mark.parametrize("wrong", [(34, 16, 105), (10, 20, 21)])
def test_quantiles_that_no_such_distribution_has_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(BadData):
        fit(Quantiles(p50=wrong[0], p90=wrong[1], p99=wrong[2]))


def test_clocks_start_a_buffer_after_what_should_have_ended_on_the_minute() -> None:
    """A minute and a quarter of an hour for the plan, two and as much for what is cooked, one for sauce and wine."""
    names = (PLANNER.name, COOK.name, COOK.name, SAUCIER.name, SOMMELIER.name, SERVER.name)
    waits = ((), (0,), (0,), (1, 2), (0,), (0, 3, 4))
    seconds = (1.0, 30.0, 90.0, 5.0, 5.0, 2.0)
    steps = [SimStep(name, name, needs, long) for name, needs, long in zip(names, waits, seconds, strict=True)]
    assert by_clocks(steps, MEAL.graph, Clock(time_scale=225, buffer=4.0, starts={})) == (16 + 17 + 16) * 60 + 2


def test_on_aws_short_steps_are_ruled_by_hops_and_crowds_by_quotas() -> None:
    grid = ((1, 0.01), (1, 7_200.0), (2_000, 0.01))
    found = {
        style: [cell.wall for cell in cells(style, DIAMOND, aws_facts(), 7, 2.5, None, grid)]
        for style in ("choreographed", "orchestrated")
    }
    for style in ("choreographed", "orchestrated"):
        assert found[style][0] > 10 * critical(scale(DIAMOND, 0.01))
        assert found[style][1] == pytest.approx(critical(scale(DIAMOND, 7_200.0)), rel=0.001)
    assert found["orchestrated"][0] > found["choreographed"][0]
    # 20,000 transitions, of which 5,000 pass at once and 1,500 more a second.
    assert found["orchestrated"][2] > found["orchestrated"][0] + 1
    assert found["choreographed"][2] == pytest.approx(found["choreographed"][0], rel=0.1)


def test_the_same_seed_simulates_the_same() -> None:
    grid = ((10, 0.1),)
    first, again = (cells("orchestrated", DIAMOND, aws_facts(), 7, 2.5, None, grid) for _ in range(2))
    assert first == again
    assert first != cells("orchestrated", DIAMOND, aws_facts(), 8, 2.5, None, grid)


def test_without_clocks_there_is_no_scheduled_style() -> None:
    assert cells("scheduled", DIAMOND, aws_facts(), 7, 2.5, None, ((1, 1.0),)) == []
