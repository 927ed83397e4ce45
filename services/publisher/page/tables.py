"""Tables that a planner can sort, by mouse or keyboard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.publisher.page.content import Change, change_of
from services.publisher.page.markup import Child, Markup, el
from services.publisher.page.numbers import decimals, number, per_cent, scale_of, signed
from services.publisher.previous import Previous
from services.runtime.canonical import Row


@dataclass(frozen=True)
class Column:
    """`sorted_` is how the rows come: ascending, descending or, in no order of this column, none."""

    name: str
    numeric: bool = True
    sorted_: str = "none"
    sortable: bool = True
    class_: str | None = None


def table(caption: Child, columns: Sequence[Column], rows: Iterable[Markup]) -> Markup:
    """A table in a box of its own, which scrolls when even the narrow form is too wide."""
    head = el("thead", el("tr", *(_heading(column) for column in columns)))
    body = el("tbody", *rows)
    return el("div", el("table", el("caption", caption), head, body), class_="scroll")


def _heading(column: Column) -> Markup:
    classes = " ".join(filter(None, ["n" if column.numeric else None, column.class_])) or None
    if not column.sortable:
        return el("th", column.name, scope="col", class_=classes)
    return el("th", el("button", column.name, type="button"), scope="col", aria_sort=column.sorted_, class_=classes)


def change_cell(change: Change | None, places: int, scale: int = 1) -> Markup:
    """`+120 (+3.1 %)`. None: that week was not forecast before."""
    if change is None:
        return el("td", class_="n")
    if change.before is None:
        return el("td", "new", class_="n new")
    difference = signed(change.difference / scale, places)
    if not any(digit in difference for digit in "123456789"):
        return el("td", "0", class_="n same")
    sort = "up" if change.difference > 0 else "down"
    return el("td", difference, " ", el("small", f"({per_cent(change.share)})"), class_=f"n {sort}")


def needs_table(
    caption: Child, noun: str, rows: Sequence[Row], notes: Mapping[str, str], before: Previous | None
) -> Markup:
    """Recipes by P50, the largest first, or ingredients by name. `before` is None when there is nothing to compare with.

    `notes` say what a name is; its unit stands there when nothing is known.

    Amounts in g or ml are shown in kg or l where they are large; `data-k` tells the sorting how much larger a row's unit is.
    """
    by_size = noun == "Recipe"
    ordered = sorted(rows, key=lambda row: (-row.p50, row.name)) if by_size else list(rows)
    columns = [
        Column(noun, numeric=False, sorted_="none" if by_size else "ascending"),
        Column("0 to P90", numeric=False, sortable=False, class_="range"),
        Column("Mean"),
        Column("P10"),
        Column("P50", sorted_="descending" if by_size else "none"),
        Column("P90"),
        *([Column("Change of P50")] if before else []),
    ]
    return table(caption, columns, (_need(row, notes.get(row.name), before) for row in ordered))


def _need(row: Row, note: str | None, before: Previous | None) -> Markup:
    unit, scale = scale_of(row.unit, row.p90)
    places = decimals(row.mean / scale)
    name = el("th", row.name, " ", el("small", note or unit), scope="row")
    amounts = (el("td", number(amount / scale, places), class_="n") for amount in (row.mean, row.p10, row.p50, row.p90))
    change = change_cell(change_of(row, before), places, scale) if before else None
    return el("tr", name, _glyph(row), *amounts, change, data_k=scale if scale > 1 else None)


def _glyph(row: Row) -> Markup:
    """The P10-P90 range and the P50 on a line from zero to the row's own P90, in per cent: how far it may be off."""
    if row.p90 <= 0:
        return el("td", class_="range")
    left, middle = (100 * max(amount, 0.0) / row.p90 for amount in (row.p10, row.p50))
    return el("td", el("span", style=f"--l:{left:.0f};--m:{middle:.0f}"), class_="range")
