"""`python -m chaos --runs 60 --seed 1`: many runs under a seeded mix of faults, and the table of what became of them."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from rich.console import Console

from chaos.drive import Trial, drive
from chaos.fleet import PLACES
from chaos.mix import draw
from chaos.stage import STYLES, open_stage
from chaos.table import Report, show
from chaos.verdict import tally, violations
from contracts.errors import BrigadeError
from orchestrator.embedded.home import Home

DISORDER = 0.2
"""The share of messages that come twice, and of those that come later than others."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description="Drive runs of a fixture pipeline under faults.")
    parser.add_argument("--runs", type=int, default=60, help="of each style")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--style", choices=STYLES, help="only this one")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what was started is stopped
    errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(text: str) -> None:
        errors.print(text, markup=False)

    home = Home(Path(tempfile.mkdtemp(prefix="brigade-chaos-", dir="/var/tmp")))
    home.path.chmod(0o711)  # as root, PostgreSQL runs as another user
    try:
        report = run(home, asked.runs, asked.seed, (asked.style,) if asked.style else STYLES, say)
    except BrigadeError as error:
        errors.print(f"error: {error}; logs are in {home.logs}", markup=False, soft_wrap=True)
        return 1
    if asked.json:
        print(report.model_dump_json(indent=2))
    else:
        show(report, Console(highlight=False, width=None if sys.stdout.isatty() else 120))
    if report.violations:
        errors.print(f"logs are in {home.logs}", soft_wrap=True)
        return 1
    shutil.rmtree(home.path)
    return 0


def run(home: Home, runs: int, seed: int, styles: tuple[str, ...], say: Callable[[str], None]) -> Report:
    """So many runs of each style, mixed, with faults that follow from the seed. When they meet what is up to the machine."""
    started = time.monotonic()
    random = Random(seed)
    with open_stage(home, seed) as stage:
        stage.fleet.start(*PLACES)
        stage.learn_the_right_hash()
        trials = _trials(styles, runs, random)
        stage.api.disorder = DISORDER
        drive(stage, trials, random, lambda trial: say(_line(trial)))
        wrong = violations(stage, trials)
        return Report(
            seed=seed,
            seconds=time.monotonic() - started,
            styles={style: tuple(tally([t for t in trials if t.style == style], stage.right_hash)) for style in styles},
            repeated=stage.api.repeated,
            reordered=stage.api.reordered,
            workers=stage.fleet.started,
            violations=tuple(wrong),
        )


def _trials(styles: tuple[str, ...], runs: int, random: Random) -> list[Trial]:
    """The styles take turns."""
    drawn = zip(*([(style, kind) for kind in draw(random, runs)] for style in styles), strict=True)
    return [Trial(number, *given) for number, given in enumerate(pair for pairs in drawn for pair in pairs)]


def _line(trial: Trial) -> str:
    seconds = time.monotonic() - trial.started
    end = trial.row["status"] if trial.row else "lost"
    how = " degraded" if trial.row and trial.row["degraded"] else ""
    return f"{seconds:5.1f} s  {trial.run_id}  {end}{how}  {trial.kind.name}"


if __name__ == "__main__":
    sys.exit(main())
