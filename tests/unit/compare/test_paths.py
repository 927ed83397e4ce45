"""The longest chains through a run's steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.pipeline import COOK, PLANNER, SAUCIER, SERVER, SOMMELIER
from orchestrator.compare.paths import longest, looks, needed, seconds_of, with_barriers
from orchestrator.compare.recorded import Attempt
from tests.unit.compare.recordings import PLACES, run, step

MEAL = (
    step(PLANNER.name, "-", (), 0, 1),
    step(COOK.name, "starter", (f"{PLANNER.name}/-",), 1, 2),
    step(COOK.name, "main", (f"{PLANNER.name}/-",), 1, 6),
    step(SAUCIER.name, "-", (f"{COOK.name}/starter", f"{COOK.name}/main"), 6, 7),
    step(SOMMELIER.name, "-", (f"{PLANNER.name}/-",), 6, 13),
    step(SERVER.name, "-", (f"{SAUCIER.name}/-", f"{SOMMELIER.name}/-"), 13, 14),
)


def test_the_critical_path_is_the_longest_chain_of_needs() -> None:
    assert longest(run(0, "choreographed", MEAL), needed(run(0, "choreographed", MEAL))) == 1 + 7 + 1


def test_a_barrier_is_what_the_state_machine_waits_for_without_need() -> None:
    """The wine needs the plan only, and waits for all that is cooked."""
    meal = run(0, "orchestrated", MEAL)
    waits = with_barriers(meal, PLACES)
    assert waits[f"{SOMMELIER.name}/-"] == (f"{PLANNER.name}/-", f"{COOK.name}/starter", f"{COOK.name}/main")
    assert longest(meal, waits) == 1 + 5 + 7 + 1


def test_inside_a_map_an_item_waits_for_its_own() -> None:
    places = PLACES | {SAUCIER.name: PLACES[SAUCIER.name].model_copy(update={"inside": (COOK.name,)})}
    inside = (*MEAL[:3], MEAL[3].model_copy(update={"item": "main", "needs": (f"{COOK.name}/main",)}))
    waits = with_barriers(run(0, "orchestrated", inside), places)
    assert waits[f"{SAUCIER.name}/main"] == (f"{COOK.name}/main", f"{PLANNER.name}/-")


def test_a_step_weighs_what_its_handler_took() -> None:
    own = step(COOK.name, "main", (), 1, 6)
    committed = own.attempts[0].model_copy(update={"handler_seconds": 4.5})
    assert seconds_of(own.model_copy(update={"attempts": (committed,)})) == 4.5
    unseen = own.attempts[0].model_copy(update={"handler_seconds": None})
    assert seconds_of(own.model_copy(update={"attempts": (unseen,)})) == 5
    assert seconds_of(own.model_copy(update={"attempts": (), "state": "reused"})) == 0


def test_a_step_that_looked_until_something_was_ready_weighs_from_its_first_look() -> None:
    """Lost with its worker at 1, it looked at 3 and 4, and found at 5 what it wanted, in a tenth of a second."""
    answered = step(COOK.name, "main", (), 5, 5.5).attempts[0].model_copy(update={"number": 4, "handler_seconds": 0.1})

    def failed(number: int, claimed: float, error: str) -> Attempt:
        told = {"number": number, "claimed": claimed, "ended": claimed + 0.2, "outcome": "failed", "error": error}
        return answered.model_copy(update=told)

    attempts = (
        failed(1, 1, "WorkerLost: worker cook-1 is gone"),
        failed(2, 3, "ResourcePending: the oven is cold"),
        failed(3, 4, "ResourcePending: the oven is cold"),
        answered,
    )
    baked = step(COOK.name, "main", (), 5, 5.5).model_copy(update={"attempts": attempts})
    assert [look.claimed for look in looks(baked)] == [3, 4]
    assert seconds_of(baked) == pytest.approx(2.1)


@given(st.lists(st.floats(0.001, 100), min_size=len(MEAL), max_size=len(MEAL)))
def test_barriers_never_make_a_run_shorter(seconds: list[float]) -> None:
    weights = {one.key: weight for one, weight in zip(MEAL, seconds, strict=True)}
    meal = run(0, "orchestrated", MEAL)
    free = longest(meal, needed(meal), lambda one: weights[one.key])
    assert (
        max(seconds)
        <= free
        <= longest(meal, with_barriers(meal, PLACES), lambda one: weights[one.key])
        <= sum(seconds) + 1e-9
    )
