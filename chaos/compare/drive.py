"""One measured run: started, its clocks struck, its fault begun and ended, until it is over and nothing is under way."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

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
    if broken and not broken.begins:
        broken.begin()
    run_id, waiting = _start(site, asked)
    run = Driven(run_id, time.time(), before, logs, planted)
    if broken and not broken.begins:
        run.begun = run.started
    run.messages = 0 if asked.style == "orchestrated" else 1
    _follow(site, asked, run, waiting, broken)
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


def _start(site: Site, asked: Asked) -> tuple[str, list[tuple[float, str, object]]]:
    parts = (site.aws, site.connection, site.deployment, site.subject.pipeline)
    if asked.style != SCHEDULED:
        return start_run(*parts, asked.style, asked.day, {}).run_id, []
    request = start_scheduled(*parts, asked.day)
    rest = site.subject.pipeline.components[1:]
    return request.run_id, sorted((asked.starts[c.name], c.name, request) for c in rest)


def _follow(
    site: Site, asked: Asked, run: Driven, waiting: list[tuple[float, str, object]], broken: Spell | None
) -> None:
    last = max([*asked.starts.values(), broken.ends if broken else 0.0, 0.0])
    while True:
        now = time.time() - run.started
        while waiting and waiting[0][0] <= now:
            _, name, request = waiting.pop(0)
            strike(site.aws, site.deployment, site.subject.component(name), request)  # type: ignore[arg-type]
            run.messages += 1
        if broken and run.begun is None and broken.begins <= now:
            broken.begin()
            run.begun = time.time()
        if broken and run.begun and run.undone is None and broken.ends <= now:
            broken.end()
            run.undone = time.time()
        site.workers.replace_dead()
        mended = broken is None or run.undone is not None
        if mended and not waiting and site.rows(OVER, run_id=run.run_id):
            return
        if now > last + PATIENCE:
            run.lost = True
            return
        time.sleep(TICK)  # between two looks
