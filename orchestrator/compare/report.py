"""`report.html`: one file that needs nothing else, from `Results` alone."""

import re
from html import escape

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup as Safe

from orchestrator.compare.money import LEFT_OUT
from orchestrator.compare.plots import DRAWN, plot
from orchestrator.compare.results import Results, Row
from orchestrator.compare.tables import tables
from orchestrator.page.document import asset, document
from orchestrator.page.markup import Markup

FILE = "report.html"

REFERENCE = re.compile(r"\[\[([^\]]+)\]\]")


def render(results: Results) -> bytes:
    """The report as UTF-8. The same results give the same bytes."""
    rows = {row.id: row for row in results.rows}

    def number(name: str) -> Safe:
        return Safe(shown(rows[name]))  # noqa: S704 - every text in it is escaped

    def sentence(text: str) -> Safe:
        return Safe(REFERENCE.sub(lambda found: shown(rows[found[1]]), escape(text)))  # noqa: S704 - as above

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"number": number, "sentence": sentence}
    body = environment.from_string(asset(__package__, "report.html.j2")).render(
        results=results,
        about=results.about,
        runs=counted(results),
        tables=tables(results),
        plots={name: _both(name, results) for name in DRAWN},
        left_out=LEFT_OUT,
    )
    title = f"{results.about.pipeline}: the styles compared"
    return document(title, Markup(body), asset(__package__, "report.css")).encode()


def counted(results: Results) -> str:
    """How many runs of each style were measured, and of how many: a comparison may have been broken off."""
    rows = {row.id: row.value for row in results.rows}
    said = [f"[[runs/{style}]] {style}" for style in results.about.styles if f"runs/{style}" in rows]
    fewer = any(rows.get(f"runs/{style}", 0) < results.about.runs for style in results.about.styles)
    return f"runs: {', '.join(said)}" + (f", broken off before {results.about.runs} of each" if fewer else "")


def shown(row: Row) -> str:
    """As people read it, with its id; the interval after it where there is one."""
    name, said = escape(row.id), escape(amount(row.value, row.unit))
    text = f'<data value="{row.value!r}" data-row="{name}" title="{name}">{said}</data>'
    if row.low is None or row.high is None or row.low == row.high:
        return text
    return f"{text} <small>({escape(between(row.low, row.high, row.unit))})</small>"


def between(low: float, high: float, unit: str) -> str:
    """With the unit once where it is the same."""
    ends = amount(low, unit), amount(high, unit)
    first, _, same = ends[0].partition(" ")
    return f"{first if same and ends[1].endswith(f' {same}') else ends[0]} to {ends[1]}"


def amount(value: float, unit: str) -> str:
    """With as many digits as say something."""
    if unit == "s":
        return _seconds(value)
    if unit == "share":
        return f"{value:.1%}"
    if unit.startswith("USD"):
        return f"{value:,.2f} {unit}" if abs(value) >= 1 else f"{value:.4f} {unit}"
    if unit == "bytes":
        return f"{value / 1000:,.1f} kB"
    whole = f"{value:,.0f}" if value == round(value) or abs(value) >= 1_000 else f"{value:,.1f}"
    return f"{whole} runs a month" if unit == "runs a month" else whole


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0 s"
    if size < 0.001:
        return f"{value * 1000:.2g} ms"
    if size < 1:
        return f"{value * 1000:.0f} ms"
    if size < 10:
        return f"{value:.2f} s"
    if size < 600:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if size <= 7_200 else f"{value / 3600:.1f} h"


def _both(name: str, results: Results) -> dict[str, Safe | None]:
    drawn = {"wide": plot(name, results, wide=True), "narrow": plot(name, results, wide=False)}
    return {width: Safe(svg) if svg else None for width, svg in drawn.items()}  # noqa: S704 - matplotlib escapes texts
