"""What a chaos run has found, as one value and as it is printed."""

from rich.console import Console
from rich.table import Table

from chaos.verdict import Tally
from contracts.message import Frozen

COLUMNS = ("runs", "injected", "recovered", "degraded", "failed", "lost", "twice")
HEADINGS = ("runs", "injected", "recovered", "degraded", "failed with cause", "lost", "twice")


class Report(Frozen):
    """`repeated` and `reordered` count messages, `workers` the processes that were started, those replaced among them."""

    seed: int
    seconds: float
    styles: dict[str, tuple[Tally, ...]]
    repeated: int
    reordered: int
    workers: int
    violations: tuple[str, ...]


def show(report: Report, console: Console) -> None:
    for style, tallies in report.styles.items():
        table = Table("fault", title=style, title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for one in tallies:
            table.add_row(one.fault, *(_number(getattr(one, column)) for column in COLUMNS))
        table.add_section()
        table.add_row("all", *(str(sum(getattr(one, column) for one in tallies)) for column in COLUMNS))
        console.print(table)
    console.print(
        f"seed {report.seed}: {report.seconds:.0f} s; besides, {report.repeated} messages were delivered twice and "
        f"{report.reordered} later than others; {report.workers} workers were started",
        soft_wrap=True,
    )
    for violation in report.violations:
        console.print(f"wrong: {violation}", markup=False, soft_wrap=True)
    if not report.violations:
        console.print("nothing was lost, nothing was published twice, and nothing is left in a queue")


def _number(count: int) -> str:
    return str(count) if count else "."
