"""`python -m services.backtest`: one JSON document on standard output, progress on standard error.

DATABASE_URL names the data.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

from contracts.errors import BadRequest, BrigadeError
from services.backtest.cases import Cases
from services.backtest.history import Loaded, load, origin, origin_weeks
from services.backtest.items import KEYS, add_items
from services.backtest.metrics import scores
from services.backtest.pipeline import MEASURED, PIPELINE, POPULARITY, SIMULATORS, VOLUME, Bench

TARGETS = (PIPELINE, VOLUME, POPULARITY)


def main() -> None:
    """Ends with 2 when it was asked wrongly, with 1 when it failed."""
    wanted = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="brigade-backtest-") as folder:
            report = run(wanted, Path(folder))
    except (BrigadeError, psycopg.Error, KeyError) as error:
        message = "DATABASE_URL is not set" if isinstance(error, KeyError) else str(error).strip()
        sys.stderr.write(f"error: {message}\n")
        sys.exit(2 if isinstance(error, BadRequest) else 1)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def run(wanted: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Load, backtest at every origin, and score. Raises BadRequest or BadData when the data does not allow it."""
    if wanted.items and wanted.target != VOLUME:
        raise BadRequest(f"--items is of {VOLUME}, whose model can forecast other series than regions")
    loaded = load(os.environ["DATABASE_URL"], folder, _say)
    origins = origin_weeks(loaded.weeks, wanted.origins, wanted.horizon, wanted.origin_week)
    cases: dict[str, Cases] = {}
    methods: Counter[str] = Counter()
    for number, known_weeks in enumerate(origins, start=1):
        where = f"origin {number} of {len(origins)}, week {known_weeks}"
        methods.update(_backtest(wanted, loaded, known_weeks, folder / str(known_weeks), cases, where))
    return {
        "target": wanted.target,
        "weeks_loaded": loaded.weeks,
        "origin_weeks": origins,
        "horizon": wanted.horizon,
        "methods": dict(methods),
        "components": {
            name: {"measured": MEASURED.get(name, name), "cases": len(found.rows), "scores": scores(found.compared())}
            for name, found in cases.items()
        },
    }


def _backtest(
    wanted: argparse.Namespace, loaded: Loaded, known_weeks: int, folder: Path, cases: dict[str, Cases], where: str
) -> list[str]:
    """One origin. Gives the methods of the series that order-volume's model forecast."""
    here = origin(loaded, known_weeks, wanted.horizon, folder, not wanted.offers_unknown)
    if wanted.items:
        _say(f"{where}: {wanted.items}")
        name = f"{VOLUME}, orders by {wanted.items} and week"
        return add_items(cases.setdefault(name, Cases()), here, wanted.items, wanted.horizon)
    bench = Bench(here, folder, cases, lambda step: _say(f"{where}: {step}"))
    if wanted.target == PIPELINE:
        bench.pipeline(wanted.simulator)
    elif wanted.target == VOLUME:
        bench.volume()
    else:
        bench.popularity()
    return []


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.backtest", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--origins", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=4)
    parser.add_argument("--origin-week", type=int)
    parser.add_argument("--items", choices=tuple(KEYS))
    parser.add_argument("--simulator", choices=tuple(SIMULATORS), default="v1")
    parser.add_argument("--offers-unknown", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
