"""The longest chains through the steps of a run: what no coordination could have made shorter."""

from collections.abc import Callable, Mapping

from contracts.errors import ResourcePending
from orchestrator.compare.recorded import Attempt, Place, RecordedRun, StepRun

Waits = Mapping[str, tuple[str, ...]]
"""Of each step, by local key, the steps that it waits for."""


def seconds_of(step: StepRun) -> float:
    """Of the handler that gave the answer; from claim to commit where the handler's own time was not seen.

    Where attempts before it found that something outside was not ready, from the first of these on: that was the work.
    """
    answered = step.answered
    if answered is None:
        return 0.0
    waited = answered.claimed - min((look.claimed for look in looks(step)), default=answered.claimed)
    if answered.handler_seconds is not None:
        return waited + answered.handler_seconds
    return waited + (answered.ended or answered.claimed) - answered.claimed


def looks(step: StepRun) -> tuple[Attempt, ...]:
    """Attempts that found that something outside was not ready. Recorded is the error's name and what happened."""
    return tuple(a for a in step.attempts if (a.error or "").startswith(ResourcePending.__name__))


def needed(run: RecordedRun) -> Waits:
    """What the inputs of each step need: all that a join waits for."""
    return {step.key: step.needs for step in run.steps}


def with_barriers(run: RecordedRun, places: Mapping[str, Place]) -> Waits:
    """What the state machine waits for: besides, every step of every component in front, needed or not."""
    items: dict[str, list[str]] = {}
    for step in run.steps:
        items.setdefault(step.component, []).append(step.item)

    def waits(step: StepRun) -> tuple[str, ...]:
        place = places[step.component]
        found = dict.fromkeys(step.needs)
        for before in place.before:
            wanted = [step.item] if before in place.inside else items.get(before, [])
            found |= dict.fromkeys(f"{before}/{item}" for item in wanted)
        return tuple(found)

    return {step.key: waits(step) for step in run.steps}


def longest(run: RecordedRun, waits: Waits, weight: Callable[[StepRun], float] = seconds_of) -> float:
    """Seconds of the heaviest chain of steps, each after all that it waits for."""
    steps = {step.key: step for step in run.steps}
    ends: dict[str, float] = {}

    def end(key: str) -> float:
        if key not in ends:
            before = [end(need) for need in waits[key] if need in steps]
            ends[key] = max(before, default=0.0) + weight(steps[key])
        return ends[key]

    return max((end(key) for key in steps), default=0.0)


def ended(step: StepRun) -> float | None:
    """When its answer was there; None when it never was. A reused one was there before the run."""
    if step.state == "reused":
        return 0.0
    answered = step.answered
    return answered.ended if answered else None
