"""Bad rows: collected with the reason, then either all refused or set aside in a file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from contracts.errors import BadData, BadRequest
from orchestrator.data.history import OrderHistory

_SHOWN = 10

FEW = 0.05
"""Of the rows: what may be bad of a file that replaces a history. More is a slipped column or another file."""


@dataclass(frozen=True)
class Reject:
    """A row that was not loaded. `row` is its line in the file; the header is line 1."""

    file: Path
    row: int
    reason: str
    cells: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.file.name}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """What the good rows of `files` make, and the bad ones."""

    history: OrderHistory
    rejects: tuple[Reject, ...]
    files: tuple[Path, ...]

    @property
    def few_rejects(self) -> bool:
        """Whether the good rows may stand for the file: at most 5 % of the orders and the bad rows are bad."""
        return len(self.rejects) <= FEW * (len(self.rejects) + len(self.history.orders))

    def accepted(self, rejects_file: Path | None) -> OrderHistory:
        """The history, to be stored.

        Without `rejects_file`, raises BadData when there are bad rows. With it, writes them there: the columns file, row and
        reason, then the columns of the files they come from. The file is written, with no rows, even when all are good.
        Raises BadRequest when it cannot be written or is one of the files read.
        """
        if rejects_file is None:
            refuse(self.rejects)
            return self.history
        if rejects_file.resolve() in {file.resolve() for file in self.files}:
            raise BadRequest(f"{rejects_file} is a file to read: give --rejects another name")
        try:
            _write(rejects_file, self.rejects)
        except OSError as error:
            raise BadRequest(f"cannot write {rejects_file}: {error.strerror}. Give --rejects another path") from error
        return self.history


def refuse(rejects: Sequence[Reject], set_aside: bool = True) -> None:
    """Raises BadData when there are any. `set_aside` says whether --rejects would help."""
    if rejects:
        remedy = "Correct them, or set them aside with --rejects FILE" if set_aside else "Correct the file"
        raise BadData(f"nothing was loaded: {described(rejects)}\n{remedy}")


def refuse_empty(file: Path, rejects: Sequence[Reject], elsewhere: str = "") -> NoReturn:
    """Raises BadData for a file without a good row. `elsewhere` says where rows are that were not looked at."""
    if not rejects and not elsewhere:
        raise BadData(f"{file} has no row below its header: nothing was loaded")
    told = f": {described(rejects)}" if rejects else ""
    raise BadData(f"{file} has no good row to load{elsewhere}{told}")


def described(rejects: Sequence[Reject]) -> str:
    """How many, and the first ten, one a line."""
    lines = [f"{len(rejects)} bad row{'' if len(rejects) == 1 else 's'}"]
    lines += [f"  {reject}" for reject in rejects[:_SHOWN]]
    if len(rejects) > _SHOWN:
        lines.append(f"  and {len(rejects) - _SHOWN} more")
    return "\n".join(lines)


def _write(path: Path, rejects: Sequence[Reject]) -> None:
    columns = dict.fromkeys(column for reject in rejects for column in reject.cells)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file", "row", "reason", *columns], restval="")
        writer.writeheader()
        for reject in rejects:
            writer.writerow(
                {**reject.cells, "file": reject.file.name, "row": reject.row, "reason": reject.reason},
            )
