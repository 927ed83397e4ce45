"""Following a run until it ends: a live table on a terminal, a line for every change elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.table import Table

from contracts.errors import ResourcePending
from orchestrator.database import Connection
from orchestrator.history import AttemptAtStep, RunHistory, read_history

POLL = 0.25
STYLES = {"done": "green", "reused": "cyan", "running": "yellow", "failed": "red"}


Read = Callable[[], RunHistory]


def follow(connection: Connection, run_id: str, console: Console) -> RunHistory:
    """Show a run's progress on the console until it has ended."""
    return follow_by(lambda: read_history(connection, run_id), console, POLL)


def follow_by(read: Read, console: Console, poll: float) -> RunHistory:
    """The same, asking `read` every `poll` seconds."""
    if not console.is_terminal:
        return _follow_in_lines(read, poll, lambda line: console.print(line, highlight=False, soft_wrap=True))
    with Live(console=console, auto_refresh=False) as live:
        for history in _until_ended(read, poll):
            live.update(steps_table(history), refresh=True)
    return history


def _follow_in_lines(read: Read, poll: float, show: Callable[[str], None]) -> RunHistory:
    known: set[tuple[str, str, int, str]] = set()
    for history in _until_ended(read, poll):
        pending = {(step.component, step.item) for step in history.steps if _is_pending(step)}
        for step in history.steps:
            change = (step.component, step.item, step.attempt, step.status)
            if _is_pending(step) or (step.status == "running" and change[:2] in pending):
                change = (step.component, step.item, 0, "pending, and looks again")
            if change not in known and step.status not in ("waiting", "ready"):
                known.add(change)
                show(f"{history.run_id} {step.component}/{step.item} {_which(step)} {change[3]}{_seconds(step)}")
    return history


def _until_ended(read: Read, poll: float) -> Iterator[RunHistory]:
    while True:
        history = read()
        yield history
        if history.status != "RUNNING":
            return
        time.sleep(poll)  # between two looks at the rows


def steps_table(history: RunHistory) -> Table:
    """One row a component: how many of its items are where."""
    table = Table(title=f"{history.run_id}  {history.status}  {history.duration:.1f} s", title_justify="left")
    for column in ("component", "version", "items", "state", "time"):
        table.add_column(column, no_wrap=True)
    for component in dict.fromkeys(step.component for step in history.steps):
        latest = {step.item: step for step in history.steps if step.component == component}
        states = Counter(step.status for step in latest.values())
        shown = ", ".join(f"[{STYLES.get(state, 'dim')}]{count} {state}[/]" for state, count in states.items())
        version = next(iter(latest.values())).version
        longest = max((step.duration or 0 for step in latest.values()), default=0)
        table.add_row(component, version, str(len(latest)), shown, f"{longest:.2f} s" if longest else "")
    return table


def _is_pending(step: AttemptAtStep) -> bool:
    """Of many such attempts in a row, one is worth a line."""
    return step.status == "failed" and (step.error or "").startswith(f"{ResourcePending.__name__}:")


def _which(step: AttemptAtStep) -> str:
    return f"attempt {step.attempt}" if step.mode == "normal" else f"attempt {step.attempt}, {step.mode},"


def _seconds(step: AttemptAtStep) -> str:
    return f" in {step.duration:.2f} s" if step.duration is not None else ""
