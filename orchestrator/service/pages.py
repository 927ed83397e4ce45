"""What browsers are shown: the list of runs, and the run page, which ask again by themselves."""

from collections.abc import Sequence

from fastapi.responses import HTMLResponse

from orchestrator.history import in_words
from orchestrator.operations import ListedRun
from orchestrator.page import live_parts, render
from orchestrator.page.content import RunOnPage
from orchestrator.page.document import asset, document
from orchestrator.page.markup import Child, Markup, el
from orchestrator.page.steps import pill
from orchestrator.page.words import counted, moment, seconds

OFTEN, SELDOM, LIST = 2, 15, 5
"""Seconds between two looks: at a run under way, at one that has ended and may be redriven, at the list."""

COLUMNS = ("run", "status", "took", "pipeline", "for", "started", "cause")

_PILLS = {"SUCCEEDED": "done", "FAILED": "failed", "RUNNING": "running"}


def run_page(page: RunOnPage) -> HTMLResponse:
    return HTMLResponse(render(page, OFTEN if page.history.status == "RUNNING" else SELDOM))


def list_page(runs: Sequence[ListedRun]) -> HTMLResponse:
    headings = (el("th", column, scope="col", role="columnheader") for column in COLUMNS)
    table = el(
        "table",
        el("caption", "The latest runs"),
        el("thead", el("tr", *headings, role="row"), role="rowgroup"),
        el("tbody", *(_row(run) for run in runs), role="rowgroup"),
        role="table",
        class_="runs",
    )
    none = el("p", "There are none yet: start one with ", el("code", "brigade run"), ".")
    about = f"The latest {counted(len(runs), 'run')}, newest first." if runs else None
    script = asset("orchestrator.page", "live.js")
    body = el(
        "body",
        *live_parts(),
        el("header", el("h1", "Runs"), el("p", about, class_="about")),
        el("main", table if runs else none),
        Markup(f"<script>{script}</script>"),
        data_refresh=LIST,
    )
    style = asset("orchestrator.page", "style.css") + asset("orchestrator.service", "list.css")
    return HTMLResponse(document("Runs", body, style, script, asks=True))


def error_page(title: str, detail: str) -> str:
    """It asks nobody again: what was asked for is not there."""
    body = el(
        "body",
        el("nav", el("a", "All runs", href="/runs")),
        el("header", el("h1", title)),
        el("main", el("p", detail, class_="cause")),
    )
    return document(title, body, asset("orchestrator.page", "style.css"))


def _row(run: ListedRun) -> Markup:
    name = el("th", el("a", run.run_id, href=f"/runs/{run.run_id}"), scope="row", role="rowheader")
    cells: tuple[Child, ...] = (
        pill(_PILLS.get(run.status, "waiting"), in_words(run.status, run.degraded)),
        seconds(run.seconds),
        run.pipeline,
        run.date.isoformat(),
        moment(run.started_at),
        el("span", run.cause, class_="error") if run.cause else None,
    )
    # The two dates say what they are where there are no headings.
    labels = (column if column in ("for", "started") else None for column in COLUMNS[1:])
    written = (el("td", cell, role="cell", data_label=label) for cell, label in zip(cells, labels, strict=True))
    return el("tr", name, *written, role="row", id=run.run_id)
