"""The report's tables: for each line a label and, for each column, the id of a row or None."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orchestrator.compare.money import LINES
from orchestrator.compare.on_aws import CONCURRENT, DURATIONS
from orchestrator.compare.replay import CHECKED
from orchestrator.compare.results import Results, Row
from orchestrator.compare.rows import OUTCOMES
from orchestrator.compare.verdict import CLEAR, Numbers, length

Line = tuple[str, tuple[str | None, ...]]


@dataclass(frozen=True)
class Table:
    """`marks` are words to stand with a number, by its row's id."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its lines are about, to be defined once: what follows a comma only tells one line from another."""
        return tuple(dict.fromkeys(label.partition(",")[0] for label, _ in self.lines))


MEASURES: dict[str, tuple[str, dict[str, str]]] = {
    "time": (
        "Time, undisturbed runs",
        {
            "wall": "wall.p50",
            "wall, p95": "wall.p95",
            "critical path": "critical",
            "coordination": "overhead",
            "barriers": "barriers",
            "idle buffer": "idle",
            "idle buffer, in earnest": "idle.earnest",
            "hop, median": "hop.p50",
            "hop, p90": "hop.p90",
            "hop, p99": "hop.p99",
        },
    ),
    "trouble": (
        "When something breaks",
        {
            "recovery from a kill": "recovery",
            "fault to alarm": "alarm",
            "places to the cause": "places",
            "nobody told": "unseen",
            "retries a faulty run": "fault.retries",
            "repeats a faulty run": "fault.repeats",
        },
    ),
    "work": (
        "Work a run, undisturbed",
        {
            "messages received": "messages",
            "API calls": "calls",
            "polls that found nothing": "idle-polls",
            "state transitions": "transitions",
            "retries": "retries",
            "repeats absorbed": "repeats",
        },
    ),
}
"""Of tables with a measure a line: the title, and the measure of each label."""


def tables(results: Results) -> dict[str, Table]:
    """By name, those that have a line."""
    numbers, styles = Numbers(results.rows), tuple(results.about.styles)
    made = {
        **{name: _measures(title, measures, numbers, styles) for name, (title, measures) in MEASURES.items()},
        "outcome": _outcome(numbers, styles),
        "alarms": _faults("From fault to alarm, by fault", "alarm", results, numbers, styles),
        "faults": _faults("Places from symptom to cause, by fault", "places", results, numbers, styles),
        "calls": _breakdown("API calls a run, by operation", "calls/{}/", results.rows, styles),
        "bytes": _breakdown("Bytes a run, by service", "bytes/{}/", results.rows, styles),
        "money": _money(numbers, styles),
        "aws": _aws(numbers, styles),
        "check": _check(numbers),
    }
    return {name: table for name, table in made.items() if table.lines}


def _outcome(numbers: Numbers, styles: Sequence[str]) -> Table:
    lines: list[Line] = [("runs", _ids(numbers, "runs/{}", styles))]
    lines += [(outcome, _ids(numbers, f"outcome.{outcome}/{{}}", styles)) for outcome in OUTCOMES]
    lines.append(("of the stale, another forecast", _ids(numbers, "stale.differs/{}", styles)))
    return Table("Outcome", tuple(styles), _filled(lines))


def _faults(title: str, measure: str, results: Results, numbers: Numbers, styles: Sequence[str]) -> Table:
    faults = sorted({run.fault for run in results.runs if run.fault})
    lines: list[Line] = [(fault, _ids(numbers, f"{measure}/{{}}/{fault}", styles)) for fault in faults]
    return Table(title, tuple(styles), _filled(lines))


def _measures(title: str, measures: dict[str, str], numbers: Numbers, styles: Sequence[str]) -> Table:
    lines = [(label, _ids(numbers, f"{measure}/{{}}", styles)) for label, measure in measures.items()]
    return Table(title, tuple(styles), _filled(lines))


def _breakdown(title: str, prefix: str, rows: Iterable[Row], styles: Sequence[str]) -> Table:
    numbers = Numbers(rows)
    starts = [prefix.format(style) for style in styles]
    names = sorted({row.id.removeprefix(start) for row in rows for start in starts if row.id.startswith(start)})
    lines = [(name.replace("/", " "), tuple(_id(numbers, start + name) for start in starts)) for name in names]
    return Table(title, tuple(styles), _filled(lines))


def _money(numbers: Numbers, styles: Sequence[str]) -> Table:
    lines: list[Line] = [(line, _ids(numbers, f"usd/{{}}/{line}", styles)) for line in LINES]
    lines.append(("together", _ids(numbers, "usd/{}", styles)))
    lines.append(
        (
            "Express in its place",
            tuple("usd.express" if s == "orchestrated" and numbers.has("usd.express") else None for s in styles),
        )
    )
    return Table("Dollars for 1,000 runs", tuple(styles), _filled(lines))


def _aws(numbers: Numbers, styles: Sequence[str]) -> Table:
    """Which style is the fastest, by the longest step and how many runs at once."""
    lines: list[Line] = []
    marks: dict[str, str] = {}
    for duration in DURATIONS:
        ids: list[str | None] = []
        for concurrent in CONCURRENT:
            walls = sorted(
                (numbers.value(name), style, name)
                for style in styles
                if numbers.has(name := f"aws.wall/{style}/{concurrent}/{duration:g}")
            )
            ids.append(walls[0][2] if walls else None)
            if walls:
                others = [style for wall, style, _ in walls if wall <= walls[0][0] * (1 + CLEAR)]
                marks[walls[0][2]] = others[0] if len(others) == 1 else "equal"
        lines.append((length(duration), tuple(ids)))
    columns = tuple(f"{concurrent:,} at once" for concurrent in CONCURRENT)
    return Table("The fastest style, by the longest step", columns, _filled(lines), marks)


def _check(numbers: Numbers) -> Table:
    """Once as it is said of each style, and once with the halves exchanged."""
    named = {
        "predicted median wall": "predicted",
        "measured median wall": "measured",
        "error": "error",
        "halves apart": "apart",
    }
    lines: list[Line] = [
        (label + told, _ids(numbers, f"check.{name}/{{}}{exchanged}", CHECKED))
        for told, exchanged in (("", ""), (", halves exchanged", "/exchanged"))
        for label, name in named.items()
    ]
    return Table("The simulation against the emulator", CHECKED, _filled(lines))


def _ids(numbers: Numbers, pattern: str, styles: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(_id(numbers, pattern.format(style)) for style in styles)


def _id(numbers: Numbers, name: str) -> str | None:
    return name if numbers.has(name) else None


def _filled(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple((label, ids) for label, ids in lines if any(ids))
