"""The simulation held against runs that it was not calibrated on."""

from random import Random

import pytest

from chaos.pipeline import COOK
from orchestrator.compare.recorded import RecordedRun, StepRun, Style
from orchestrator.compare.replay import BOUND, CHECKED, check, checks, halves, undisturbed, waits_of
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


@pytest.mark.parametrize("style", CHECKED)
def test_what_holds_all_items_of_a_component_up_is_not_drawn_for_each(style: Style) -> None:
    """One run in four waits two seconds in front of its Map. Drawn item by item, most runs would wait."""
    made = [held_up(run, COOK.name, 2.0) if number % 8 < 2 else run for number, run in enumerate(runs(style, 32))]
    found = check(style, *halves(made), PLACES, seed=7)
    assert found.error < BOUND / 2


def test_halves_are_alike_when_the_machine_slows_down_meanwhile() -> None:
    made = [run.model_copy(update={"seconds": 3.0 + number}) for number, run in enumerate(runs("choreographed", 16))]
    ones, others = halves(made)
    assert sorted(run.number for run in (*ones, *others)) == [run.number for run in made]
    assert sum(run.seconds for run in ones) == sum(run.seconds for run in others)


def test_the_check_is_made_with_the_halves_exchanged_too() -> None:
    made = recording().runs
    for there, back in zip(checks(made, PLACES, seed=7), checks(made, PLACES, seed=7, exchanged=True), strict=True):
        assert (there.style, there.calibrated, there.predicted_runs) == (
            back.style,
            back.predicted_runs,
            back.calibrated,
        )
        assert there.measured == back.calibrating != back.measured
        assert there.apart == pytest.approx(abs(back.measured - there.measured) / there.measured)


def test_only_undisturbed_runs_are_checked() -> None:
    one = cooked(0, "choreographed", Random(1))
    assert undisturbed(one)
    assert not any(undisturbed(spoilt) for spoilt in (killed(one), failed(one), stale(one)))
    found = {each.style: each for each in checks(recording().runs, PLACES, seed=7)}
    assert set(found) == set(CHECKED)
    assert (found["choreographed"].calibrated, found["choreographed"].predicted_runs) == (3, 3)


def test_one_run_of_a_style_is_too_few() -> None:
    assert checks([cooked(0, "orchestrated", Random(1))], PLACES, seed=7) == ()


def held_up(run: RecordedRun, component: str, seconds: float) -> RecordedRun:
    """All of its items, and what waits for them."""
    late: set[str] = set()
    steps = []
    for step in run.steps:
        (one,) = step.attempts
        if step.component == component or late.intersection(waits_of(run, PLACES)[step.key]):
            late.add(step.key)
            one = one.model_copy(update={"claimed": one.claimed + seconds, "ended": (one.ended or 0) + seconds})
        steps.append(step.model_copy(update={"attempts": (one,)}))
    return run.model_copy(update={"seconds": run.seconds + seconds, "steps": tuple(steps)})


def _later(step: StepRun) -> StepRun:
    return step.model_copy(
        update={
            "attempts": tuple(
                one.model_copy(update={"claimed": one.claimed * 2, "ended": (one.ended or 0) * 2})
                for one in step.attempts
            )
        }
    )
