"""What was measured once, on the two stations of examples/: an outage longer than the buffer in each of two repetitions."""

from pathlib import Path

import pytest

from orchestrator.compare.analysis import analyse
from orchestrator.compare.measures import measure
from orchestrator.compare.outcomes import outcomes
from orchestrator.compare.recorded import Recording, read_recording
from orchestrator.compare.report import render
from orchestrator.compare.verdict import Numbers


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording(Path(__file__).with_name("two_stations"))


def test_only_the_scheduled_style_published_from_stale_inputs_and_nobody_was_told(recording: Recording) -> None:
    expected = {"scheduled": "stale", "choreographed": "succeeded", "orchestrated": "succeeded"}
    assert [one.outcomes for one in outcomes(recording)] == [expected, expected]
    numbers = Numbers(analyse(recording, lambda _: None).rows)
    assert [numbers.value("unseen", style) for style in expected] == [2, 0, 0]


def test_what_was_stale_names_the_run_it_came_from(recording: Recording) -> None:
    """The warm-up's: what came too late to be read in its own run is not there for the next one either (adr/0012)."""
    warm_up = next(run.run_id for run in recording.runs if run.style == "scheduled" and run.warm_up)
    taken = [[(one.source, one.from_run) for one in run.stale] for run in recording.measured if run.stale]
    assert taken == [[("bread-planner", warm_up)]] * 2


def test_its_clock_is_what_a_scheduled_run_waits_for(recording: Recording) -> None:
    assert recording.head.clock
    (run,) = (run for run in recording.runs if run.style == "scheduled" and run.warm_up)
    idle = measure(run, recording.head.places).idle
    assert idle == pytest.approx(recording.head.clock.starts["baker"], abs=0.1)


def test_where_every_run_was_disturbed_there_is_a_report_all_the_same(recording: Recording) -> None:
    page = render(analyse(recording, lambda _: None)).decode()
    assert "two-stations: scheduled, choreographed, orchestrated" in page
    assert "The simulation is not checked" in page


def test_of_a_comparison_that_was_broken_off_there_is_a_report_too(recording: Recording) -> None:
    broken_off = recording.model_copy(update={"runs": recording.runs[:-1]})
    assert [len(one.outcomes) for one in outcomes(broken_off)] == [3, 2]
    assert "broken off before 2 of each" in render(analyse(broken_off, lambda _: None)).decode()


def test_of_a_whole_one_nothing_of_the_kind_is_said(recording: Recording) -> None:
    assert "broken off" not in render(analyse(recording, lambda _: None)).decode()
