"""The simulation held against runs that it was not calibrated on."""

from random import Random

import pytest

from chaos.pipeline import COOK
from orchestrator.compare.recorded import RecordedRun, StepRun, Style
from orchestrator.compare.replay import BOUND, CHECKED, check, checks, undisturbed
from tests.unit.compare.recordings import PLACES, cooked, failed, killed, recording, stale


def runs(style: Style, count: int = 12) -> list[RecordedRun]:
    random = Random(3)
    return [cooked(number, style, random) for number in range(count)]


@pytest.mark.parametrize("style", CHECKED)
@pytest.mark.parametrize("slots", [1, 2, 4])
def test_the_other_half_is_predicted(style: Style, slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {name: place.model_copy(update={"slots": slots}) for name, place in PLACES.items()}
    monkeypatch.setattr("tests.unit.compare.recordings.PLACES", places)
    made = runs(style)
    found = check(style, made[::2], made[1::2], places, seed=7)
    assert found.error < BOUND / 3
    assert found.holds


def test_nothing_of_the_predicted_runs_times_is_used() -> None:
    made = runs("choreographed")
    slower = [
        run.model_copy(update={"seconds": run.seconds * 2, "steps": tuple(_later(step) for step in run.steps)})
        for run in made[1::2]
    ]
    right = check("choreographed", made[::2], made[1::2], PLACES, seed=7)
    wrong = check("choreographed", made[::2], slower, PLACES, seed=7)
    assert wrong.predicted == right.predicted
    assert wrong.error == pytest.approx(0.5, abs=0.05)
    assert not wrong.holds


def test_slots_matter() -> None:
    """With one slot the courses are cooked one after another; a simulation that forgot it would be too fast."""
    one_slot = PLACES | {COOK.name: PLACES[COOK.name].model_copy(update={"slots": 1})}
    made = runs("choreographed")
    free = check("choreographed", made[::2], made[1::2], PLACES, seed=7)
    assert check("choreographed", made[::2], made[1::2], one_slot, seed=7).predicted > free.predicted


def test_only_undisturbed_runs_are_checked() -> None:
    one = cooked(0, "choreographed", Random(1))
    assert undisturbed(one)
    assert not any(undisturbed(spoilt) for spoilt in (killed(one), failed(one), stale(one)))
    found = {each.style: each for each in checks(recording().runs, PLACES, seed=7)}
    assert set(found) == set(CHECKED)
    assert (found["choreographed"].calibrated, found["choreographed"].predicted_runs) == (3, 3)


def test_one_run_of_a_style_is_too_few() -> None:
    assert checks([cooked(0, "orchestrated", Random(1))], PLACES, seed=7) == ()


def _later(step: StepRun) -> StepRun:
    return step.model_copy(
        update={
            "attempts": tuple(
                one.model_copy(update={"claimed": one.claimed * 2, "ended": (one.ended or 0) * 2})
                for one in step.attempts
            )
        }
    )
