"""A pipeline that Brigade knows nothing of, in all three styles on a real stack, under outages longer than the buffer."""

from collections.abc import Iterator

import pytest

from chaos.compare.campaign import Campaign, Wanted
from chaos.compare.site import Site, open_site
from chaos.compare.subject import load
from orchestrator.compare.measures import outcome_of
from orchestrator.compare.recorded import Clock, RecordedRun
from tests.support.stack import temporary_home

MODULE = "examples.two_stations"

WANTED = Wanted(
    styles=("scheduled", "choreographed", "orchestrated"), runs=2, seed=3, faults="outage", time_scale=150, buffer=6.0
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with temporary_home() as home, open_site(home, MODULE, load(MODULE)) as site:
        site.workers.start(*site.places)
        yield site


@pytest.fixture(scope="module")
def runs(site: Site) -> list[RecordedRun]:
    return campaign(site)


def campaign(site: Site) -> list[RecordedRun]:
    clocks: list[Clock] = []
    kept: list[RecordedRun] = []
    Campaign(site, WANTED, clocks.append, kept.append).run()
    assert [set(clock.starts) for clock in clocks] == [{"bread-planner", "baker"}]
    assert len(kept) == WANTED.total
    return kept


def measured(runs: list[RecordedRun]) -> list[RecordedRun]:
    return [run for run in runs if not (run.warm_up or run.control)]


def table(runs: list[RecordedRun]) -> set[tuple[object, ...]]:
    """What a seed gives again: no times, no ids."""
    return {
        (run.repetition, run.style, run.date, run.fault and (run.fault.kind, run.fault.component), outcome_of(run))
        for run in measured(runs)
    }


def test_only_clocks_publish_from_stale_inputs(runs: list[RecordedRun]) -> None:
    outcomes = {style: {outcome_of(run) for run in measured(runs) if run.style == style} for style in WANTED.styles}
    assert outcomes == {"scheduled": {"stale"}, "choreographed": {"succeeded"}, "orchestrated": {"succeeded"}}


def test_what_is_stale_is_wrong_as_well_and_says_which_run_it_is_of(runs: list[RecordedRun]) -> None:
    ids = {run.run_id for run in runs if run.style == "scheduled"}
    for run in measured(runs):
        if run.style == "scheduled":
            assert run.status == "SUCCEEDED"
            assert run.alarm is None, "nobody is told"
            assert run.published_sha256 != run.expected_sha256
            (stale,) = run.stale
            assert (stale.step, stale.source) == ("baker/-", "bread-planner")
            assert stale.from_run in ids - {run.run_id}
            assert run.places == ("publication", "inputs of baker", "queue of bread-planner")
        else:
            assert run.published_sha256 == run.expected_sha256
            assert (run.stale, run.places) == ((), ())


def test_every_run_says_what_it_took(runs: list[RecordedRun]) -> None:
    for run in runs:
        assert run.work is not None
        assert run.work.messages >= len([step for step in run.steps if step.attempts])
        assert run.work.api_calls["sqs"]["SendMessage"] >= (1 if run.style == "choreographed" else 2)
        assert (run.work.state_transitions > 0) == (run.style == "orchestrated")
        baker = next(step for step in run.steps if step.component == "baker")
        assert baker.answered is not None
        assert baker.answered.handler_seconds is not None
        assert baker.ready is not None
        assert baker.ready <= baker.answered.claimed < (baker.answered.ended or 0) <= run.seconds + 1


def test_the_same_seed_gives_the_same_faults_and_outcomes(site: Site, runs: list[RecordedRun]) -> None:
    assert table(campaign(site)) == table(runs)
