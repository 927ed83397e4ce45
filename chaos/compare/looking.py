"""Finding the cause: where somebody looks, one place after another, from what shows first to what was at fault.

Computed from what the run left. Event-driven, a run's history is one place, and names the step that failed. Scheduled, there is
nothing of the kind: each component knows what it read, so somebody goes back from the publication, component by component.
"""

from collections.abc import Mapping, Sequence

from contracts.graph import Graph
from orchestrator.compare.recorded import StaleInput, StepRun, Style

HISTORY: Mapping[Style, str] = {"orchestrated": "execution history", "choreographed": "run history"}


def places(
    style: Style, graph: Graph, steps: Sequence[StepRun], stale: Sequence[StaleInput], status: str
) -> tuple[str, ...]:
    """For a run of which something shows, or would to who compares: it failed, is degraded, or took what is stale."""
    if style != "scheduled":
        return (HISTORY[style], *_at(steps, _to_blame(steps)))
    shown = ("publication",) if status == "SUCCEEDED" else ("dead-letter queue",)
    return (*shown, *_back(graph, steps, stale))


def _to_blame(steps: Sequence[StepRun]) -> str | None:
    """The first component whose step failed or fell back; without one, the first that was never answered."""
    failed = (s for s in steps if s.state == "failed" or any(attempt.mode == "fallback" for attempt in s.attempts))
    unanswered = (step for step in steps if step.state not in ("done", "reused"))
    found = next(failed, None) or next(unanswered, None)
    return found.component if found else None


def _at(steps: Sequence[StepRun], component: str | None) -> tuple[str, ...]:
    """Its log, or its queue when it has not even begun."""
    if component is None:
        return ()
    begun = any(step.attempts for step in steps if step.component == component)
    return (f"log of {component}",) if begun else (f"queue of {component}",)


def _back(graph: Graph, steps: Sequence[StepRun], stale: Sequence[StaleInput]) -> tuple[str, ...]:
    """Breadth first, from the last components to the first of which somebody took an earlier run's answer, or that failed."""
    sources = {one.source for one in stale}
    failed = {step.component for step in steps if step.state == "failed"}
    queue = [node.component for node in reversed(graph.nodes) if not graph.consumers(node.component)]
    seen: list[str] = []
    while queue:
        component = queue.pop(0)
        if component in seen:
            continue
        seen.append(component)
        needs = [need.component for need in graph.node(component).needs]
        guilty = next((need for need in needs if need in sources), None)
        if guilty is not None:
            return (*(f"inputs of {each}" for each in seen), *_at(steps, guilty))
        if component in failed and not sources.intersection(needs):
            return (*(f"inputs of {each}" for each in seen), *_at(steps, component))
        queue.extend(needs)
    return tuple(f"inputs of {each}" for each in seen)
