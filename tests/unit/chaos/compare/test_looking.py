"""Where somebody looks, from what shows to what was at fault."""

from typing import Any

from chaos.compare.looking import places
from chaos.pipeline import MEAL
from orchestrator.compare.recorded import Attempt, StaleInput, StepRun

GRAPH = MEAL.graph
COMPONENTS = [node.component for node in GRAPH.nodes]


def step(component: str, state: Any = "done", mode: Any = "normal", begun: bool = True) -> StepRun:
    outcome: Any = "done" if state == "done" else "failed"
    attempt = Attempt(number=1, mode=mode, worker="w", claimed=1.0, ended=2.0, outcome=outcome)
    return StepRun(component=component, item="-", state=state, attempts=(attempt,) if begun else ())


def steps(**other: StepRun) -> list[StepRun]:
    return [other.get(name.removeprefix("chaos-"), step(name)) for name in COMPONENTS]


def test_event_driven_one_history_names_the_step_that_failed() -> None:
    failed = steps(saucier=step("chaos-saucier", "failed"))
    assert places("choreographed", GRAPH, failed, (), "FAILED") == ("run history", "log of chaos-saucier")
    fell_back = steps(sommelier=step("chaos-sommelier", mode="fallback"))
    assert places("orchestrated", GRAPH, fell_back, (), "SUCCEEDED") == ("execution history", "log of chaos-sommelier")


def test_who_was_still_at_work_beside_it_is_not_to_blame() -> None:
    both = steps(saucier=step("chaos-saucier", "claimed"), sommelier=step("chaos-sommelier", "failed"))
    assert places("orchestrated", GRAPH, both, (), "FAILED") == ("execution history", "log of chaos-sommelier")


def test_whoever_has_not_even_begun_has_a_queue_and_no_log() -> None:
    waiting = steps(cook=step("chaos-cook", "waiting", begun=False))
    assert places("choreographed", GRAPH, waiting, (), "LOST") == ("run history", "queue of chaos-cook")


def test_scheduled_somebody_goes_back_from_the_publication_component_by_component() -> None:
    late = steps(planner=step("chaos-planner", "waiting", begun=False))
    stale = (StaleInput(step="chaos-cook/fish", source="chaos-planner", from_run="yesterday"),)
    found = places("scheduled", GRAPH, late, stale, "SUCCEEDED")
    assert found[0] == "publication"
    assert found[1] == "inputs of chaos-server"
    assert found[-1] == "queue of chaos-planner"


def test_scheduled_the_nearer_the_cause_the_fewer_the_places() -> None:
    late = steps(saucier=step("chaos-saucier", "waiting", begun=False))
    stale = (StaleInput(step="chaos-server/-", source="chaos-saucier", from_run="yesterday"),)
    assert places("scheduled", GRAPH, late, stale, "SUCCEEDED") == (
        "publication",
        "inputs of chaos-server",
        "queue of chaos-saucier",
    )


def test_scheduled_a_last_component_that_failed_is_at_fault_itself() -> None:
    failed = steps(server=step("chaos-server", "failed"))
    assert places("scheduled", GRAPH, failed, (), "FAILED") == (
        "dead-letter queue",
        "inputs of chaos-server",
        "log of chaos-server",
    )
