"""`python -m chaos.compare order-simulation --runs 8 --out DIR`: make the runs and record them.

`brigade compare` does this, and reports.
"""

import argparse
import platform
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chaos.compare.campaign import Campaign, Wanted
from chaos.compare.faults import Faults
from chaos.compare.site import Site, open_site
from chaos.compare.subject import Subject, load
from contracts.errors import BadRequest, BrigadeError
from orchestrator.compare.recorded import Clock, Head, Machine, RecordedRun, Style, append_run, places_of, write_head
from orchestrator.embedded.home import Home

SUBJECTS = {"order-simulation": "chaos.compare.order_simulation", "order-volume": "chaos.compare.order_volume"}
"""Of Brigade's own pipelines."""

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> int:
    """0 when everything was recorded, 1 when the pipeline does not run, 2 when it was asked wrongly."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what was started is stopped
    try:
        module, subject = _subject(asked)
    except BrigadeError as error:
        errors.print(f"error: {error}", markup=False)
        return 2
    home = Home(Path(tempfile.mkdtemp(prefix="brigade-compare-", dir="/var/tmp")))
    home.path.chmod(0o711)  # as root, PostgreSQL runs as another user
    try:
        compare(home, module, subject, asked)
    except BrigadeError as error:
        errors.print(f"error: {error}; logs are in {home.logs}", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print(f"stopped; what was recorded until then is in {asked.out}, logs are in {home.logs}", markup=False)
        return 128 + signal.SIGINT
    shutil.rmtree(home.path)
    return 0


def compare(home: Home, module: str, subject: Subject, asked: argparse.Namespace) -> None:
    """Record the runs in the folder that was asked for. Raises BrigadeError."""
    buffer = subject.pipeline.buffer / asked.time_scale
    wanted = Wanted(tuple(asked.styles), asked.runs, asked.seed, asked.faults, asked.time_scale, buffer)
    forecasts = ", Amazon Forecast's API" if subject.calls_amazon_forecast else ""
    errors.print(
        f"starting LocalStack and PostgreSQL{forecasts}, and a worker for each component of {subject.pipeline.name}"
    )
    with open_site(home, module, subject) as site, _Progress(wanted.total) as told:
        site.workers.start(*site.places)

        def begin(clock: Clock) -> None:
            write_head(asked.out, _head(site, subject, wanted, clock))

        def keep(run: RecordedRun) -> None:
            append_run(asked.out, run)

        Campaign(site, wanted, begin, keep, told).run()


def _subject(asked: argparse.Namespace) -> tuple[str, Subject]:
    """Raises BadRequest when there is none of this name."""
    module = asked.subject or SUBJECTS.get(asked.pipeline)
    if module is None:
        raise BadRequest(f"nothing is known of '{asked.pipeline}' but its name: name its module with --subject")
    subject = load(module)
    if subject.pipeline.name != asked.pipeline:
        raise BadRequest(f"{module} is about {subject.pipeline.name}, not {asked.pipeline}")
    return module, subject


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos.compare", description="Measure the three styles on one pipeline.")
    parser.add_argument("pipeline")
    parser.add_argument("--subject", metavar="MODULE", help="that has the pipeline as SUBJECT")
    parser.add_argument("--runs", type=int, default=8, help="of each style")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("--faults", choices=get_args(Faults), default="mixed")
    parser.add_argument("--styles", type=_styles, default=get_args(Style), metavar="STYLE,...")
    parser.add_argument(
        "--time-scale", type=float, default=90.0, help="how much faster than a schedule's own time runs"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    return parser.parse_args()


def _styles(text: str) -> tuple[str, ...]:
    styles = tuple(dict.fromkeys(text.split(",")))
    if unknown := set(styles).difference(get_args(Style)):
        raise argparse.ArgumentTypeError(f"no style is named {', '.join(sorted(unknown))}")
    return styles


class _Progress:
    """A bar on a terminal; in a log, a line for each run."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=errors, disable=not errors.is_terminal
        )
        self._task = self._bar.add_task("timing", total=total)

    def __enter__(self) -> Callable[[RecordedRun], None]:
        self._bar.start()
        return self._tell

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def _tell(self, run: RecordedRun) -> None:
        role = "warm-up" if run.warm_up else "control" if run.control else "no fault"
        fault = run.fault.kind if run.fault else role
        self._bar.update(self._task, advance=1, description=f"{run.style}, {fault}")
        if not errors.is_terminal:
            ended = f"{run.status}{', degraded' if run.degraded else ''}{', stale' if run.stale else ''}"
            errors.print(f"{run.number:3}  {run.seconds:6.1f} s  {run.run_id}  {ended}  {fault}")


def _head(site: Site, subject: Subject, wanted: Wanted, clock: Clock) -> Head:
    (server,) = site.rows("SELECT current_setting('server_version') AS version")
    return Head(
        pipeline=subject.pipeline.name,
        graph=subject.pipeline.graph,
        places=places_of(subject.pipeline),
        styles=wanted.styles,
        runs=wanted.runs,
        seed=wanted.seed,
        faults=wanted.faults,
        clock=clock if "scheduled" in wanted.styles else None,
        versions={
            "brigade": version("brigade"),
            "python": platform.python_version(),
            "postgresql": server["version"],
            "boto3": version("boto3"),
        },
        machine=Machine(
            system=f"{platform.system()} {platform.release()}",
            processor=platform.processor() or platform.machine(),
            cores=psutil.cpu_count() or 1,
            memory_bytes=psutil.virtual_memory().total,
        ),
        started_at=datetime.now(UTC),
        command=shlex.join(["brigade", "compare", *sys.argv[1:]]),
    )


if __name__ == "__main__":
    sys.exit(main())
