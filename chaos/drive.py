"""Driving runs under faults: several at a time, each with a fault of its own, until all have ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from chaos.mix import Injected, Kind
from chaos.pipeline import DEADLINE
from chaos.stage import Row, Stage

FIRST_DAY = date(2026, 1, 1)

AT_ONCE = 6
TICK = 0.1

PATIENCE = DEADLINE + 60.0
"""Seconds after which a run that has not ended is lost: the sweep fails those past their deadline."""


@dataclass(eq=False)
class Trial:
    """One run and its fault. `ends_at` is when a fault of the surroundings is undone, by the monotonic clock."""

    number: int
    style: str
    kind: Kind
    run_id: str = ""
    started: float = 0.0
    injected: Injected | None = None
    ends_at: float | None = None
    happened: bool = False
    row: Row | None = None
    published: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """A day of its own, so that its run's id can be known before there is one."""
        return FIRST_DAY + timedelta(days=self.number)

    @property
    def prefix(self) -> str:
        """How its run's id begins."""
        return f"{self.day:%Y-%m-%d}-{self.style}-"


def drive(stage: Stage, trials: list[Trial], random: Random, progress: Callable[[Trial], None]) -> None:
    """Run them all. A worker that has ended is replaced by another; a trial without a row at the end is lost."""
    waiting, running = list(trials), list[Trial]()
    while waiting or running:
        while (chosen := _startable(waiting, running)) is not None:
            waiting.remove(chosen)
            running.append(chosen)
            _start(stage, chosen, random)
        time.sleep(TICK)  # between two looks
        stage.fleet.replace_dead()
        _undo(running, time.monotonic())
        for trial in _ended(stage, running):
            running.remove(trial)
            progress(trial)


def _startable(waiting: list[Trial], running: list[Trial]) -> Trial | None:
    """The next one. Of the surroundings, only when theirs are as they should be."""
    if len(running) >= AT_ONCE:
        return None
    disturbed = any(trial.kind.seconds for trial in running)
    return next((trial for trial in waiting if not (disturbed and trial.kind.seconds)), None)


def _start(stage: Stage, trial: Trial, random: Random) -> None:
    """A fault of a step waits for the run; one of the surroundings comes when the run has just been started."""
    if trial.kind.seconds is None:
        trial.injected = trial.kind.inject(stage, random, trial.prefix)
    trial.run_id = stage.start(trial.style, trial.day)
    trial.started = time.monotonic()
    if trial.kind.seconds is not None:
        trial.injected = trial.kind.inject(stage, random, trial.prefix)
        trial.ends_at = trial.started + random.uniform(*trial.kind.seconds)


def _undo(running: list[Trial], now: float) -> None:
    for trial in running:
        if trial.injected and trial.ends_at is not None and trial.ends_at <= now:
            trial.injected.undo()
            trial.ends_at = None


def _ended(stage: Stage, running: list[Trial]) -> list[Trial]:
    """Those whose run has its end, or never will, and whose fault is over."""
    query = "SELECT * FROM runs WHERE run_id = ANY (%(runs)s) AND status <> 'RUNNING'"
    rows = {row["run_id"]: row for row in stage.rows(query, runs=[trial.run_id for trial in running])}
    ended = []
    for trial in running:
        given_up = time.monotonic() - trial.started > PATIENCE
        if trial.ends_at is None and (given_up or trial.run_id in rows):
            trial.row = rows.get(trial.run_id)
            ended.append(trial)
    return ended
