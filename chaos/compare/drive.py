"""One measured run: started, its clocks struck, its fault begun and ended, until it is over and nothing is under way."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from chaos.compare.faults import Drawn, Due, Spell, plant, spell
from chaos.compare.site import Site
from chaos.faults import Fault
from contracts.run import SCHEDULED
from orchestrator.clocks import start_scheduled, strike
from orchestrator.compare.recorded import Style
from orchestrator.measure import snapshot
from orchestrator.start import start_run
from orchestrator.stop import stop_run

TICK = 0.05
PATIENCE = 120.0
"""Seconds beyond its last clock and its fault after which a run that has not ended is lost."""

OVER = "SELECT 1 AS over FROM runs WHERE run_id = %(run_id)s AND status <> 'RUNNING'"


Strike = tuple[float, Callable[[], None]]
"""When, in seconds since the run's start, and what."""


@dataclass(frozen=True)
class Asked:
    """`starts` are the clocks', in seconds since the run's start; empty in the other styles."""

    style: Style
    day: date
    fault: Drawn
    due: Due | None = None
    starts: dict[str, float] = field(default_factory=dict)


@dataclass
class Driven:
    """What the driver has seen, in seconds since the epoch. `messages` are those it sent itself.

    Counts between `before` and `after` are the run's own only when it has `settled` before the next.
    """

    run_id: str
    started: float
    before: Counter[str]
    logs: dict[str, int]
    planted: Fault | None
    begun: float | None = None
    undone: float | None = None
    happened: float | None = None
    lost: bool = False
    messages: int = 0
    settled: bool = True
    after: Counter[str] = field(default_factory=Counter)


def drive(site: Site, asked: Asked) -> Driven:
    """Make one run. Whatever it breaks is mended, and the queues are empty, when this returns."""
    site.restore()
    site.settle()
    before, logs = snapshot(site.connection), log_sizes(site)
    planted = plant(site, asked.fault, f"{asked.day:%Y-%m-%d}-{asked.style}-")
    broken = spell(site, asked.fault, asked.due) if asked.due else None
    from_the_start = broken is not None and not broken.begins
    if broken and from_the_start:
        broken.begin()
    run_id, strikes = _start(site, asked)
    run = Driven(run_id, time.time(), before, logs, planted, messages=0 if asked.style == "orchestrated" else 1)
    run.begun = run.started if from_the_start else None
    run.lost = not _follow(site, run, strikes, broken)
    if run.lost:
        stop_run(site.aws, site.connection, run_id)
    run.happened = site.faults.taken_at(planted) if planted else None
    site.restore()
    run.settled = site.settle()
    run.after = snapshot(site.connection)
    return run


def log_sizes(site: Site) -> dict[str, int]:
    """Bytes of each worker's log, by file name."""
    return {path.name: path.stat().st_size for path in site.home.logs.glob("*.log")}


def _start(site: Site, asked: Asked) -> tuple[str, list[Strike]]:
    """The run, and what its clocks will do, the next first."""
    parts = (site.aws, site.connection, site.deployment, site.subject.pipeline)
    if asked.style != SCHEDULED:
        return start_run(*parts, asked.style, asked.day, {}).run_id, []
    request = start_scheduled(*parts, asked.day)
    rest = sorted(site.subject.pipeline.components[1:], key=lambda component: asked.starts[component.name])
    strikes: list[Strike] = [
        (asked.starts[c.name], partial(strike, site.aws, site.deployment, c, request)) for c in rest
    ]
    return request.run_id, strikes


def _follow(site: Site, run: Driven, strikes: list[Strike], broken: Spell | None) -> bool:
    """Until it has ended and nothing is left to do. False when it does not end."""
    last = max([at for at, _ in strikes] + ([broken.ends] if broken else []), default=0.0)
    while True:
        now = time.time() - run.started
        while strikes and strikes[0][0] <= now:
            strikes.pop(0)[1]()
            run.messages += 1
        if broken:
            _break_and_mend(run, broken, now)
        site.workers.replace_dead()
        left = strikes or (broken and run.undone is None)
        if not left and site.rows(OVER, run_id=run.run_id):
            return True
        if now > last + PATIENCE:
            return False
        time.sleep(TICK)  # between two looks


def _break_and_mend(run: Driven, broken: Spell, now: float) -> None:
    if run.begun is None and broken.begins <= now:
        broken.begin()
        run.begun = time.time()
    if run.begun is not None and run.undone is None and broken.ends <= now:
        broken.end()
        run.undone = time.time()
