"""What changed since the previous publication: each factory's weeks, and the recipes that moved most."""

from services.publisher.page.content import Change, Content, change_of
from services.publisher.page.markup import Markup, el
from services.publisher.page.numbers import counted, day, decimals, number, short_day
from services.publisher.page.tables import Column, change_cell, table
from services.publisher.previous import Previous
from services.runtime.canonical import Row

MOST_MOVED = 10
"""Recipes in the table of the largest changes."""


def changes_section(content: Content) -> Markup:
    return el("section", el("h2", "What changed", id="changes"), *_changes(content))


def _changes(content: Content) -> list[Markup]:
    previous = content.previous
    if previous is None:
        return [el("p", "There is no publication of an earlier date, of the same data, to compare with.")]
    since = f"the publication of {day(previous.run_date)}"
    if not content.compared_weeks:
        return [el("p", f"None of these weeks was forecast in {since}, so there is nothing to compare.")]
    rows = [row for row in content.rows if row.week in content.compared_weeks]
    gone = previous.rows.keys() - {row.key for row in content.rows}
    dropped = [key for key in gone if key[0] in content.compared_weeks]
    moved = [row for row in rows if change_of(row, previous).is_any]
    if not moved and not dropped:
        return [el("p", f"Nothing: all {len(rows):,} numbers of P50 are those of {since} (run ", _run(previous), ").")]
    parts = [el("p", f"Compared with {since} (run ", _run(previous), f"). {_sentence(moved, rows, len(dropped))}")]
    parts.append(_totals_table(content, previous))
    recipes = [row for row in moved if row.kind == "recipe"]
    if recipes:
        parts.append(_moved_table(recipes, content, previous))
    return parts


def _run(previous: Previous) -> Markup:
    return el("code", previous.run_id)


def _sentence(moved: list[Row], rows: list[Row], dropped: int) -> str:
    said = f"{len(moved):,} of {counted(len(rows), 'row')} changed"
    return (
        f"{said}, {counted(dropped, 'row')} of before {'is' if dropped == 1 else 'are'} gone."
        if dropped
        else f"{said}."
    )


def _totals_table(content: Content, previous: Previous) -> Markup:
    rows = []
    for total in content.totals:
        before = previous.totals.get((total.week, total.factory))
        if before is not None:
            places = decimals(total.p50)
            rows.append(
                el(
                    "tr",
                    el("th", f"Factory {total.factory}", scope="row"),
                    el("td", el("time", short_day(total.week), datetime=total.week.isoformat())),
                    el("td", number(before, places), class_="n"),
                    el("td", number(total.p50, places), class_="n"),
                    change_cell(Change(total.p50, before), places),
                )
            )
    columns = [
        Column("Factory", numeric=False),
        Column("Week of", numeric=False, sorted_="ascending"),
        Column("P50 before"),
        Column("P50 now"),
        Column("Change"),
    ]
    return table("Orders of all recipes together, per week", columns, rows)


def _moved_table(recipes: list[Row], content: Content, previous: Previous) -> Markup:
    most: dict[str, Row] = {}
    for row in sorted(recipes, key=lambda row: (-abs(change_of(row, previous).difference), row.key)):
        most.setdefault(row.name, row)
    rows = []
    for row in list(most.values())[:MOST_MOVED]:
        change, places = change_of(row, previous), decimals(row.p50)
        about = content.kinds_of_food.get(row.name, row.unit)
        rows.append(
            el(
                "tr",
                el("th", row.name, " ", el("small", about), scope="row"),
                el("td", row.factory),
                el("td", el("time", short_day(row.week), datetime=row.week.isoformat())),
                el("td", "" if change.before is None else number(change.before, places), class_="n"),
                el("td", number(row.p50, places), class_="n"),
                change_cell(change, places),
            )
        )
    columns = [
        Column("Recipe", numeric=False),
        Column("Factory", numeric=False),
        Column("Week of", numeric=False),
        Column("P50 before"),
        Column("P50 now"),
        Column("Change"),
    ]
    return table("The recipes that moved most, each where it moved most, in orders a week", columns, rows)
