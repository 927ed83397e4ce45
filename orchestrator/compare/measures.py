"""What is measured of one run, from its recorded line. Seconds, if nothing else is said."""

import math
from collections.abc import Mapping
from typing import Literal

from contracts.errors import WorkerLost
from contracts.message import Frozen
from orchestrator.compare.paths import ended, longest, needed, with_barriers
from orchestrator.compare.recorded import Attempt, Place, RecordedRun, StepRun, Style

Outcome = Literal["succeeded", "degraded", "failed", "lost", "stale", "wrong"]
"""How a run ended, the worst that is true of it. `stale` and `wrong` were published anyway."""

DEFINITIONS = {
    "outcome": "Wrong: published another forecast than the same request gives without a fault, and said nothing. Stale: "
    "published from an input that an earlier run had made, whether that made another forecast of it or not. Else lost (no "
    "end), failed, degraded (and marked so) or succeeded.",
    "wall": "From the start of the run to its end, by the database's clock.",
    "critical path": "The longest chain of handler times through what each step's input needs: no coordination can be faster. "
    "A step that looked, attempt by attempt, whether something outside was ready took from its first look to its answer.",
    "barriers": "Orchestrated only: how much longer that chain is when a step also waits for all that the state machine puts "
    "in front of it, needed or not.",
    "coordination": "Wall time less the critical path and, where there are any, the barriers.",
    "idle buffer": "Scheduled only: how long the chain of steps that led to the end had its inputs and waited for its clock. "
    "In earnest: by the clocks' own time.",
    "recovery from a kill": "From the kill of a worker to the next claim of a step of its component.",
    "fault to alarm": "From the moment a fault hit to the first thing that wakes an operator: a run failed, degraded or "
    "overdue, a dead letter.",
    "places to the cause": "Log streams, queues and histories to look at, one after another, from what shows first to the root "
    "cause; of runs in which something showed, or would to who compares.",
    "nobody told": "Runs that published what is stale or wrong, without an alarm.",
    "retries a faulty run": "Attempts beyond the first at each step, of runs that were given a fault.",
    "repeats a faulty run": "Repeats absorbed (below), of runs that were given a fault.",
    "messages received": "Messages received by workers.",
    "API calls": "API calls of workers, and those that send a command or start a run; polls that found nothing pass with time "
    "and are counted apart.",
    "polls that found nothing": "They are a second long here and pass with time, so a run that takes longer has more of them.",
    "bytes": "Of sqs, sns and states the data of commands, events and answers, each once: not what the wire carries, which has "
    "envelopes, headers and repeats besides. Of s3 the files that the run wrote, of logs the workers' lines.",
    "state transitions": "States entered by the state machine, and retries, as Step Functions bills them.",
    "error": "Of the simulated median, as a share of the measured one. It is to be under 15 %.",
    "halves apart": "How much the medians of the two halves differ as they were measured: what no simulation could foresee.",
    "hop": "From the commit of a step's last input, scheduled from its clock, to its claim by a worker; waiting for a "
    "free slot is in it.",
    "retries": "Attempts beyond the first at each step.",
    "repeats absorbed": "Messages whose step was done already: the stored answer was repeated, the handler not run.",
}
"""Of each measure, under the name that the report's tables give it."""


class Measured(Frozen):
    """One run. What does not apply is None. `differs`: it published another forecast than the same request without a fault."""

    number: int
    repetition: int
    style: Style
    run_id: str
    control: bool
    fault: str | None
    outcome: Outcome
    differs: bool | None
    cause: str | None
    wall: float
    critical: float
    barriers: float | None
    overhead: float
    idle: float | None
    recovery: float | None
    alarm: float | None
    places: int | None
    retries: int
    repeats: int | None


def measure(run: RecordedRun, places: Mapping[str, Place]) -> Measured:
    critical = longest(run, needed(run))
    barriers = longest(run, with_barriers(run, places)) - critical if run.style == "orchestrated" else None
    hit = run.fault.happened if run.fault else None
    return Measured(
        number=run.number,
        repetition=run.repetition,
        style=run.style,
        run_id=run.run_id,
        control=run.control,
        fault=run.fault.kind if run.fault else None,
        outcome=outcome_of(run),
        differs=differs(run),
        cause=run.cause,
        wall=run.seconds,
        critical=critical,
        barriers=barriers,
        overhead=run.seconds - critical - (barriers or 0.0),
        idle=idle_of(run) if run.style == "scheduled" else None,
        recovery=recovery_of(run),
        alarm=run.alarm.at - hit if run.alarm and hit is not None else None,
        places=len(run.places) if run.places and hit is not None else None,
        retries=sum(max(len(step.attempts) - 1, 0) for step in run.steps),
        repeats=run.work.repeats_absorbed if run.work else None,
    )


def outcome_of(run: RecordedRun) -> Outcome:
    if run.published_sha256 is not None:
        if run.stale:
            return "stale"
        if differs(run) and not run.degraded:
            return "wrong"
    if run.status == "LOST":
        return "lost"
    if run.status == "FAILED":
        return "failed"
    return "degraded" if run.degraded else "succeeded"


def differs(run: RecordedRun) -> bool | None:
    """None when it published nothing, or nobody knows what is right."""
    if run.published_sha256 is None or run.expected_sha256 is None:
        return None
    return run.published_sha256 != run.expected_sha256


def idle_of(run: RecordedRun) -> float:
    """Walks back from the step that ended last, each time to the input that came last, and adds the waits for the clock.

    An input that came after the claim is none of these: the step took what an earlier run had made.
    """
    steps = {step.key: step for step in run.steps}
    done = [step for step in run.steps if ended(step) is not None]
    step = max(done, key=lambda one: ended(one) or 0.0, default=None)
    idle = 0.0
    while step is not None:
        before = _last_input(step, steps, in_time=True)
        if step.ready is not None and before is not None:
            idle += max(step.ready - (ended(before) or 0.0), 0.0)
        step = before
    return idle


def hops_of(run: RecordedRun) -> list[float]:
    """Of each step that was begun, but the first: from its last input's commit to its first claim.

    Scheduled, from its clock, or from the input that came later.
    """
    steps = {step.key: step for step in run.steps}
    found = []
    for step in run.steps:
        before = _last_input(step, steps)
        if before is not None and step.attempts:
            there = ended(before) or 0.0
            if run.style == "scheduled" and step.ready is not None:
                there = max(there, step.ready)
            found.append(max(step.attempts[0].claimed - there, 0.0))
    return found


def recovery_of(run: RecordedRun) -> float | None:
    """None without a kill, or when nobody claimed after it."""
    fault = run.fault
    if fault is None or fault.happened is None or not fault.kind.startswith("kill"):
        return None
    at = fault.happened
    claims = [
        attempt.claimed
        for step in run.steps
        if fault.component in (None, step.component)
        for attempt in step.attempts
        if attempt.claimed > at and not _lost(attempt)
    ]
    return min(claims) - at if claims else None


def _lost(attempt: Attempt) -> bool:
    """With its worker; recorded is the error's name and what happened."""
    return (attempt.error or "").startswith(WorkerLost.__name__)


def _last_input(step: StepRun, steps: Mapping[str, StepRun], in_time: bool = False) -> StepRun | None:
    """None when none of its inputs is of this run. `in_time`: among those that were there when it was claimed."""
    latest = step.attempts[-1].claimed if in_time and step.attempts else math.inf
    there = {need: end for need in step.needs if need in steps and (end := ended(steps[need])) is not None}
    last = max((need for need, end in there.items() if end <= latest), key=there.__getitem__, default=None)
    return None if last is None else steps[last]
