"""What Step Functions asks of a state machine that types cannot say."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from contracts.errors import PipelineError

Json = dict[str, Any]

LONGEST_NAME = 80


def state_name(text: str, suffix: str = "") -> str:
    """`text` and `suffix`, cut to what Step Functions takes; a cut name ends with a hash of the whole."""
    name = text + suffix
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 10]}~ {digest}"


def check_callbacks(machine: Json) -> None:
    """Raises PipelineError naming a callback state without TimeoutSeconds and HeartbeatSeconds: it could wait for a year."""
    for name, state in all_states(machine):
        if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            missing = [key for key in ("TimeoutSeconds", "HeartbeatSeconds") if not state.get(key)]
            if missing:
                raise PipelineError(
                    f"callback state {name} has no {' and no '.join(missing)}: set its component's policy"
                )


def check_names(machine: Json) -> None:
    """Raises PipelineError for two states of one name, wherever they are: AWS refuses that, LocalStack does not."""
    counts = Counter(name for name, _ in all_states(machine))
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise PipelineError(f"the state machine has several states named {', '.join(twice)}")


def all_states(machine: Json) -> Iterator[tuple[str, Json]]:
    """Every state and its name, those of branches and Maps included."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from all_states(inner)
