"""CSV files with a header: rows that say which value is wrong and why."""

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from contracts.errors import BadRequest
from orchestrator.data.history import Progress
from orchestrator.data.rejects import Reject
from orchestrator.data.weeks import YEARS

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_FLAGS = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LARGEST = 1e9  # of any number: more is a slipped column, and sums stay exact
_LONGEST = 200  # characters of a name: keys must fit an index page
_PROGRESS_EVERY = 10_000


class BadRow(Exception):
    """A row that cannot be loaded. Never leaves this package: it becomes a Reject."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Values are asked for by the names of docs/data.md, errors name the column as the file does.

    Every method raises BadRow for a value that is not what its name says.
    """

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, str]
    """Name to column of the file."""
    width_error: str | None = None

    def text(self, name: str) -> str | None:
        """The stripped value, None when there is none."""
        column = self.columns.get(name)
        return None if column is None else self.cells.get(column, "").strip() or None

    def name(self, name: str) -> str:
        """A name of at most 200 characters, none of them a control character."""
        value = self._required(name)
        if len(value) > _LONGEST or _CONTROL.search(value):
            raise BadRow(f"{self.columns[name]} must be at most {_LONGEST} characters on one line")
        return value

    def number(self, name: str) -> float:
        """A number from 0 to 1e9."""
        value = self._required(name)
        number = float(value) if _NUMBER.fullmatch(value) else math.nan
        if math.isnan(number):
            raise BadRow(f"{self.columns[name]} is no number: {value!r}")
        if number < 0:
            raise BadRow(f"{self.columns[name]} is negative: {value}")
        if number > _LARGEST:
            raise BadRow(f"{self.columns[name]} is over {_LARGEST:.0e}: {value}")
        return number

    def number_or_none(self, name: str) -> float | None:
        return None if self.text(name) is None else self.number(name)

    def whole(self, name: str, largest: int) -> int:
        """A whole number from 1 to `largest`."""
        value = self._required(name)
        if not _WHOLE.fullmatch(value) or not 1 <= int(value) <= largest:
            raise BadRow(f"{self.columns[name]} is no whole number from 1 to {largest}: {value!r}")
        return int(value)

    def flag_or_none(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _FLAGS:
            raise BadRow(f"{self.columns[name]} is neither 0 nor 1: {value!r}")
        return _FLAGS[value.lower()]

    def day(self, name: str) -> date:
        """An ISO date of the years 1970 to 2199."""
        value = self._required(name)
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise BadRow(f"{self.columns[name]} is no date like 2026-11-20: {value!r}") from None
        if day.year not in YEARS:
            raise BadRow(f"{self.columns[name]} is not in the years {YEARS[0]} to {YEARS[-1]}: {value}")
        return day

    def _required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise BadRow(f"{self.columns.get(name, name)} is empty")
        return value


class Once:
    """Refuses a key that an earlier row had."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lines: dict[object, int] = {}

    def check(self, key: object, row: Row) -> None:
        """Raises BadRow for the second row with this key."""
        first = self._lines.setdefault(key, row.line)
        if first != row.line:
            raise BadRow(f"repeats the {self._what} of row {first}")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what can go wrong with a file as a whole into BadRequest."""
    try:
        yield
    except OSError as error:
        raise BadRequest(
            f"cannot read {path}: {error.strerror}. docs/data.md lists the files of each format"
        ) from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text: save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise BadRequest(f"{path} is not a comma-separated file: {error}. Save it as CSV") from error


class Sheet:
    """A CSV file in UTF-8, with or without a byte-order mark. Columns that nobody asks for are ignored."""

    def __init__(self, path: Path, required: Sequence[str], aliases: Mapping[str, Sequence[str]] | None = None) -> None:
        """Reads the header. `aliases` gives, for a name, the columns it may go by instead.

        Raises BadRequest when the file cannot be read, has no header, a column twice or a required one not at all.
        """
        self.path = path
        with _readable(path), path.open(encoding="utf-8-sig", newline="") as file:
            header = [cell.strip().lower() for cell in next(csv.reader(file, strict=True), [])]
        named = [column for column in header if column]
        if not named:
            raise BadRequest(f"{path} is empty: its first line names the columns, with commas")
        if len(header) == 1 and ";" in header[0]:
            raise BadRequest(f"{path} is separated by ;, not by commas: save it as CSV with commas")
        if len(set(named)) != len(named):
            raise BadRequest(f"{path} has two columns of one name: keep one of them")
        self._header = header
        self._columns = {column: column for column in header}
        for name, others in (aliases or {}).items():
            self._columns.update((name, other) for other in others if other in header)
        missing = ["/".join([*(aliases or {}).get(name, [name])]) for name in required if not self.has(name)]
        if missing:
            raise BadRequest(
                f"{path} lacks the column {', '.join(missing)}: its first line names the columns, with commas"
            )

    def has(self, name: str) -> bool:
        return name in self._columns

    def parse(
        self,
        parse: Callable[[Row], T],
        rejects: list[Reject],
        skip: Callable[[Row], bool] = lambda row: False,
        progress: Progress = lambda stage, rows: None,
    ) -> Iterator[T]:
        """What `parse` makes of each good row that is not to `skip`; the bad ones are added to `rejects`."""
        count = 0
        for count, row in enumerate(self._rows(), start=1):
            if count % _PROGRESS_EVERY == 0:
                progress(f"reading {self.path.name}", count)
            if skip(row):
                continue
            try:
                if row.width_error:
                    raise BadRow(row.width_error)
                value = parse(row)
            except BadRow as bad:
                rejects.append(Reject(self.path, row.line, str(bad), row.cells))
            else:
                yield value
        progress(f"reading {self.path.name}", count)

    def _rows(self) -> Iterator[Row]:
        width = len(self._header)
        with _readable(self.path), self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader)
            for fields in reader:
                if not fields:
                    continue  # an empty line
                if len(fields) == width:
                    yield Row(reader.line_num, dict(zip(self._header, fields, strict=True)), self._columns)
                    continue
                names = [*self._header, *(f"value {n}" for n in range(width + 1, len(fields) + 1))]
                cells = dict(zip(names, fields, strict=False))
                yield Row(reader.line_num, cells, self._columns, f"{len(fields)} values where the header has {width}")
