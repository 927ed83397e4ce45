"""What became of each repetition in each style: the table that a seed gives again, whatever the machine."""

from contracts.message import Frozen
from orchestrator.compare.measures import Outcome, outcome_of
from orchestrator.compare.recorded import Recording, Style


class Repetition(Frozen):
    """One request, and the fault that every style was given with it; `component` is None without one."""

    number: int
    fault: str
    component: str | None
    outcomes: dict[Style, Outcome]


def outcomes(recording: Recording) -> tuple[Repetition, ...]:
    """In order; controls and warm-ups are not counted."""
    counted = [run for run in recording.measured if not run.control]
    found = []
    for number in sorted({run.repetition for run in counted}):
        runs = {run.style: run for run in counted if run.repetition == number}
        fault = next((run.fault for run in runs.values() if run.fault), None)
        found.append(
            Repetition(
                number=number,
                fault=fault.kind if fault else "nothing",
                component=fault.component if fault else None,
                outcomes={style: outcome_of(runs[style]) for style in recording.head.styles if style in runs},
            )
        )
    return tuple(found)
