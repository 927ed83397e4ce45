"""Faults that wait for a step: files in a folder, each of which one worker takes, once.

A fault names a point on a step's way through a worker and what happens there. The folder is the same for the driver and all
workers, so faults are planted while they run, and one that was taken says so.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Point = Literal["received", "claimed", "handling", "handled", "committed", "answered"]
"""On a step's way through a worker.

`received`: before the step is claimed (its item is not known yet). `claimed`: before its handler runs. `handling`: in the
middle of the handler. `handled`: between the handler and the commit. `committed`: between the commit and the answer.
`answered`: between the answer and the delete.
"""

Deed = Literal["kill", "raise-transient", "raise-permanent", "hang", "wait"]
"""`kill` is SIGKILL. The others happen in a handler only: `hang` never returns, `wait` goes on when the gate is open."""

IN_HANDLER = ("handling", "handled")

SEPARATOR = "~"


@dataclass(frozen=True)
class Fault:
    """`run` is how the run's id begins, `item` one of a Map's; "" fits all."""

    point: Point
    deed: Deed
    component: str
    item: str = ""
    run: str = ""

    def fits(self, point: Point, component: str, item: str, run: str) -> bool:
        return (
            (self.point, self.component) == (point, component) and self.item in ("", item) and run.startswith(self.run)
        )

    @property
    def text(self) -> str:
        return SEPARATOR.join((self.point, self.deed, self.component, self.item, self.run))


@dataclass(frozen=True)
class Faults:
    """`planted` ones wait; `taken` ones have happened, or are happening."""

    folder: Path

    def create(self) -> None:
        for folder in (self._planted, self._taken):
            folder.mkdir(parents=True, exist_ok=True)
        self._gate.touch()

    def plant(self, fault: Fault, times: int = 1) -> None:
        """Let it happen so many times, to whichever steps it fits."""
        if fault.deed != "kill" and fault.point not in IN_HANDLER:
            raise ValueError(f"{fault.deed} happens in a handler only: plant it at {IN_HANDLER}")
        for _ in range(times):
            (self._planted / f"{fault.text}{SEPARATOR}{os.urandom(4).hex()}").touch()

    def take(self, point: Point, component: str, item: str, run: str) -> Fault | None:
        """A fault that fits and that nobody else has taken. For workers."""
        for path in self._planted.iterdir():
            fault = _parse(path)
            if not fault.fits(point, component, item, run):
                continue
            try:
                path.rename(self._taken / path.name)
            except FileNotFoundError:
                continue  # another worker was faster
            return fault
        return None

    def planted(self) -> list[Fault]:
        return [_parse(path) for path in self._planted.iterdir()]

    def taken(self) -> list[Fault]:
        return [_parse(path) for path in self._taken.iterdir()]

    def taken_at(self, fault: Fault) -> float | None:
        """When it was taken first, in seconds since the epoch: its file was renamed then."""
        times = [path.stat().st_ctime for path in self._taken.iterdir() if _parse(path) == fault]
        return min(times, default=None)

    def clear(self) -> None:
        """Forget all of them."""
        for path in (*self._planted.iterdir(), *self._taken.iterdir()):
            path.unlink(missing_ok=True)

    @contextmanager
    def closed_gate(self) -> Iterator[None]:
        """While this lasts, a handler that was told to wait does."""
        with self._gate.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def pass_gate(self) -> None:
        """Blocks while it is closed. For handlers."""
        with self._gate.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)

    @property
    def _planted(self) -> Path:
        return self.folder / "planted"

    @property
    def _taken(self) -> Path:
        return self.folder / "taken"

    @property
    def _gate(self) -> Path:
        return self.folder / "gate"


def _parse(path: Path) -> Fault:
    point, deed, component, item, run, _ = path.name.split(SEPARATOR)
    assert point in get_args(Point)
    assert deed in get_args(Deed)
    return Fault(point, deed, component, item, run)  # type: ignore[arg-type] # checked one line above
