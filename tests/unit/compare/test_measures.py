"""What is measured of one run."""

from random import Random
from typing import Any

import pytest

from chaos.pipeline import PLANNER
from orchestrator.compare.measures import Outcome, hops_of, idle_of, measure, outcome_of, recovery_of
from orchestrator.compare.recorded import Planted, StaleInput
from tests.unit.compare.recordings import BUFFER, HOPS, OLD, PLACES, STYLES, cooked, failed, killed, run, stale, step

STALE = (StaleInput(step="server/-", source="saucier", from_run="yesterday"),)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "succeeded"),
        ({"degraded": True, "published_sha256": OLD}, "degraded"),
        ({"published_sha256": OLD}, "wrong"),
        ({"published_sha256": OLD, "stale": STALE}, "stale"),
        ({"stale": STALE}, "stale"),  # by luck the same forecast; its inputs were old all the same
        ({"status": "FAILED", "published_sha256": None}, "failed"),
        ({"status": "FAILED", "published_sha256": None, "stale": STALE}, "failed"),  # nothing was published from them
        ({"status": "LOST", "published_sha256": None}, "lost"),
        ({"expected_sha256": None}, "succeeded"),
    ],
)
def test_the_outcome_is_the_worst_that_is_true(changes: dict[str, Any], outcome: Outcome) -> None:
    assert outcome_of(run(0, "scheduled").model_copy(update=changes)) == outcome


@pytest.mark.parametrize("style", STYLES)
def test_wall_time_is_critical_path_barriers_and_coordination(style: Any) -> None:
    found = measure(cooked(0, style, Random(1)), PLACES)
    assert found.wall == pytest.approx(found.critical + (found.barriers or 0) + found.overhead)
    assert found.overhead > HOPS[style]
    assert (found.barriers is None) == (style != "orchestrated")
    assert (found.idle is None) == (style != "scheduled")


def test_idle_is_what_the_last_steps_chain_waited_for_clocks() -> None:
    steps = (
        step("planner", "-", (), 0.1, 1.0),
        step("cook", "-", ("planner/-",), 5.1, 6.0).model_copy(update={"ready": 5.0}),
        step("sommelier", "-", ("planner/-",), 8.0, 8.5).model_copy(update={"ready": 8.0}),
        step("server", "-", ("cook/-", "sommelier/-"), 12.0, 13.0).model_copy(update={"ready": 12.0}),
    )
    assert idle_of(run(0, "scheduled", steps, 13.0)) == pytest.approx((12.0 - 8.5) + (8.0 - 1.0))


def test_a_late_input_adds_no_idle_time() -> None:
    """The clock did not wait for it."""
    steps = (step("planner", "-", (), 0, 9), step("cook", "-", ("planner/-",), 5, 6).model_copy(update={"ready": 5.0}))
    assert idle_of(run(0, "scheduled", steps)) == 0


def test_nobody_waits_longer_for_clocks_than_the_run_took() -> None:
    """An input that came after the claim was not waited for: the step took an earlier run's."""
    steps = (
        step("planner", "-", (), 0.1, 1.0),
        step("cook", "-", ("planner/-",), 9.0, 9.5).model_copy(update={"ready": 3.0}),
        step("sommelier", "-", ("planner/-",), 3.0, 4.0).model_copy(update={"ready": 3.0}),
        step("server", "-", ("cook/-", "sommelier/-"), 6.0, 7.0).model_copy(update={"ready": 6.0}),
        step("cashier", "-", ("server/-",), 10.0, 11.0).model_copy(update={"ready": 10.0}),
    )
    assert idle_of(run(0, "scheduled", steps, 11.0)) == pytest.approx((10.0 - 7.0) + (6.0 - 4.0) + (3.0 - 1.0))


def test_scheduled_runs_idle_for_about_a_buffer_before_each_component() -> None:
    found = measure(cooked(0, "scheduled", Random(2)), PLACES)
    assert found.idle is not None
    assert 3 * BUFFER < found.idle < 4 * BUFFER


def test_recovery_is_from_the_kill_to_the_next_claim() -> None:
    assert recovery_of(killed(cooked(0, "choreographed", Random(1)))) == pytest.approx(5)


def test_there_is_no_recovery_without_a_kill_that_happened() -> None:
    one = cooked(0, "choreographed", Random(1))
    never = Planted(kind="kill -9 in the handler", component=PLANNER.name, planted=0)
    assert recovery_of(one) is None
    assert recovery_of(one.model_copy(update={"fault": never})) is None
    assert recovery_of(stale(one)) is None


def test_an_alarm_counts_from_when_the_fault_hit() -> None:
    found = measure(failed(cooked(0, "orchestrated", Random(1))), PLACES)
    assert (found.alarm, found.places, found.outcome) == (1.0, 1, "failed")


def test_nobody_is_told_of_what_is_stale() -> None:
    found = measure(stale(cooked(0, "scheduled", Random(1))), PLACES)
    assert (found.alarm, found.places, found.outcome) == (None, 3, "stale")
    assert found.retries == 0


def test_a_retry_is_an_attempt_beyond_the_first() -> None:
    found = measure(killed(cooked(0, "choreographed", Random(1))), PLACES)
    assert found.retries == 1


def test_the_claim_that_was_lost_is_no_recovery_though_it_seems_later_than_the_kill() -> None:
    """The kill is timed by a file, the claim by the database: what came first can seem to come a millisecond later."""
    made = killed(cooked(0, "orchestrated", Random(1)))
    assert made.fault is not None
    assert made.fault.happened is not None
    sooner = made.fault.model_copy(update={"happened": made.fault.happened - 0.001})
    assert recovery_of(made.model_copy(update={"fault": sooner})) == pytest.approx(5.001)


def test_a_hop_is_from_the_last_input_to_the_first_claim() -> None:
    """The planner has no input; what was put off by a retry is no hop."""
    steps = (
        step("planner", "-", (), 0.1, 1.0),
        step("cook", "-", ("planner/-",), 1.5, 2.0),
        step("server", "-", ("planner/-", "cook/-"), 2.25, 3.0),
    )
    assert hops_of(run(0, "choreographed", steps)) == [0.5, 0.25]
    assert hops_of(killed(run(0, "choreographed", steps))) == [0.5, 0.25]


def test_scheduled_a_hop_is_from_the_clock_or_the_later_input() -> None:
    steps = (
        step("planner", "-", (), 0.1, 1.0),
        step("cook", "-", ("planner/-",), 5.2, 6.0).model_copy(update={"ready": 5.0}),
        step("server", "-", ("cook/-",), 6.1, 7.0).model_copy(update={"ready": 5.5}),
    )
    assert hops_of(run(0, "scheduled", steps)) == pytest.approx([0.2, 0.1])
