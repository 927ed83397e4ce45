"""One factory's part of the page: its chart, its totals, and what it needs in each week."""

from datetime import date

from contracts.configurator import Factory
from services.publisher.page.chart import Series, chart
from services.publisher.page.content import Change, Content
from services.publisher.page.markup import Markup, el, join
from services.publisher.page.numbers import compact, counted, day, decimals, number, short_day
from services.publisher.page.tables import Column, change_cell, needs_table, table
from services.publisher.totals import Total

WIDE, NARROW = (880, 280), (340, 240)
"""Sizes of the chart, for a desk and for a telephone: one scaled down would have letters too small to read."""

WIDE_WEEKS, NARROW_WEEKS = 26, 12
"""Weeks of history in the chart."""


def factory_section(content: Content, key: str) -> Markup:
    factory = next((each for each in content.plan.factories if each.key == key), None)
    totals = [total for total in content.totals if total.factory == key]
    return el(
        "section",
        el("h2", f"Factory {key}", id=f"factory-{key}"),
        _about(content, factory, totals),
        _figure(content, key, factory, totals),
        _totals_table(content, factory, totals) if totals else None,
        *(_week(content, key, week, is_open=week == content.weeks[0]) for week in content.weeks),
    )


def _about(content: Content, factory: Factory | None, totals: list[Total]) -> Markup:
    if factory is None:
        return el("p", "The plan does not list this factory.")
    regions = ", ".join(factory.regions) or "no regions of its own"
    cap = f"{number(factory.weekly_cap, 0)} boxes a week at most ({number(_cap(content, factory), 0)} orders)"
    return el("p", f"Serves {regions} first. Packs {cap}.", class_="about")


def _cap(content: Content, factory: Factory) -> float:
    """In orders: a box holds `recipes_per_box` of them."""
    return factory.weekly_cap * content.plan.recipes_per_box


def _figure(content: Content, key: str, factory: Factory | None, totals: list[Total]) -> Markup | None:
    history = list(content.history.get(key, {}).items())
    series = Series(history, totals, _cap(content, factory) if factory else None)
    title = _in_words(key, history, totals)
    wide, narrow = chart(series, title, *WIDE, WIDE_WEEKS), chart(series, title, *NARROW, NARROW_WEEKS)
    if not wide:
        return None
    entries = [("history", "ordered by its own regions")] if history else []
    entries += [("p50", "forecast P50"), ("band", "P10 to P90: 8 weeks of 10 should end in it")] if totals else []
    legend = (el("span", el("i", class_=name), text, class_="key") for name, text in entries)
    return el(
        "figure",
        el("div", wide, class_="wide"),
        el("div", narrow, class_="narrow"),
        el("figcaption", el("span", "Orders a week:"), *legend),
    )


def _in_words(key: str, history: list[tuple[date, float]], totals: list[Total]) -> str:
    said = [f"Orders a week of factory {key}."]
    if history:
        week, amount = history[-1]
        said.append(f"In the last known week, of {short_day(week)}, {compact(amount)} were ordered.")
    said += (
        f"Week of {short_day(t.week)}: P50 {compact(t.p50)}, P10 {compact(t.p10)} to P90 {compact(t.p90)}."
        for t in totals
    )
    return " ".join(said)


def _totals_table(content: Content, factory: Factory | None, totals: list[Total]) -> Markup:
    compared = content.previous if content.compared_weeks else None
    rows = []
    for total in totals:
        places = decimals(total.p50)
        amounts = (total.mean, total.p10, total.p50)
        before = compared.totals.get((total.week, total.factory)) if compared else None
        rows.append(
            el(
                "tr",
                el("th", el("time", short_day(total.week), datetime=total.week.isoformat()), scope="row"),
                *(el("td", number(amount, places), class_="n") for amount in amounts),
                _p90_cell(total, places, _cap(content, factory) if factory else None),
                change_cell(None if before is None else Change(total.p50, before), places) if compared else None,
            )
        )
    columns = [
        Column("Week of", numeric=False, sorted_="ascending"),
        Column("Mean"),
        Column("P10"),
        Column("P50"),
        Column("P90"),
        *([Column("Change of P50")] if compared else []),
    ]
    return table(f"Orders of all recipes together, factory {totals[0].factory}", columns, rows)


def _p90_cell(total: Total, places: int, cap: float | None) -> Markup:
    """With the part of the cap it takes: over 100 %, one week in ten or more is too much for the factory."""
    if cap is None:
        return el("td", number(total.p90, places), class_="n")
    load = el("small", f"({total.p90 / cap * 100:,.0f} % of cap)")
    return el("td", number(total.p90, places), " ", load, class_="n over" if total.p90 > cap else "n")


def _week(content: Content, key: str, week: date, is_open: bool) -> Markup:
    recipes, ingredients = content.rows_of(key, week, "recipe"), content.rows_of(key, week, "ingredient")
    before = content.previous if week in content.compared_weeks else None
    where = f"factory {key}, week of {short_day(week)}"
    found = f"{counted(len(recipes), 'recipe')}, {counted(len(ingredients), 'ingredient')}"
    summary = el("summary", el("h3", f"Week of {day(week)}"), " ", el("small", found))
    parts = [
        needs_table(f"Recipes in orders, {where}", "Recipe", recipes, content.kinds_of_food, before)
        if recipes
        else None,
        needs_table(f"Ingredients, {where}", "Ingredient", ingredients, {}, before) if ingredients else None,
    ]
    nothing = el("p", "Nothing is forecast for it.") if not (recipes or ingredients) else None
    return el("details", summary, join(*parts, nothing), open=is_open)
