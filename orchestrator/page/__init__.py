"""A run on one HTML file that needs nothing else: what the Step Functions console shows, for both styles."""

from pathlib import Path

from contracts.errors import BadRequest
from orchestrator.database import Connection
from orchestrator.history import in_words
from orchestrator.page.content import RunOnPage, read_page
from orchestrator.page.diagram import diagram
from orchestrator.page.document import asset, document
from orchestrator.page.markup import Child, Markup, el, join
from orchestrator.page.steps import component_section, log_block, pill
from orchestrator.page.timeline import timeline
from orchestrator.page.words import counted, moment, seconds


def write_page(connection: Connection, run_id: str, file: Path) -> None:
    """Raises BadRequest when there is no such run, or the file cannot be written."""
    save_page(render(read_page(connection, run_id)), file)


def save_page(page: bytes, file: Path) -> None:
    """Raises BadRequest when the file cannot be written."""
    try:
        file.write_bytes(page)
    except OSError as error:
        raise BadRequest(f"{file} cannot be written: {error.strerror}; choose another file") from error


def render(page: RunOnPage, refresh: int | None = None) -> bytes:
    """The page as UTF-8; with `refresh`, one that a service serves, and that asks it again every so many seconds."""
    script = asset(__package__, "page.js") + (asset(__package__, "live.js") if refresh else "")
    has_bars = any(step.attempts for step in page.steps)
    body = el(
        "body",
        *(live_parts(el("a", "All runs", href="/runs")) if refresh else ()),
        el("header", el("h1", page.history.run_id), _headline(page), _cause(page), _replaced(page), _facts(page)),
        el(
            "main",
            el(
                "section",
                el("h2", "Pipeline"),
                el("div", diagram(page, upright=False), class_="wide"),
                el("div", diagram(page, upright=True), class_="narrow"),
                data_part="pipeline",
            ),
            el("section", el("h2", "Timeline"), timeline(page), data_part="timeline") if has_bars else None,
            el(
                "section",
                el("h2", "Steps"),
                _buttons(),
                *(component_section(page, node) for node in page.graph.nodes),
                data_part="steps",
            ),
            _other_lines(page),
        ),
        Markup(f"<script>{script}</script>"),
        data_refresh=refresh,
    )
    style = asset(__package__, "style.css")
    return document(f"Run {page.history.run_id}", body, style, script, asks=refresh is not None).encode()


def live_parts(*links: Markup) -> tuple[Markup, ...]:
    """What stands above a page that asks again: where else to go, and, when there is no answer, that there is none."""
    return (
        el("nav", *links) if links else join(),
        el("p", class_="stale", role="status", hidden=True, data_part="stale"),
    )


def _headline(page: RunOnPage) -> Markup:
    run = page.history
    status = {"SUCCEEDED": "done", "FAILED": "failed", "RUNNING": "running"}.get(run.status, "waiting")
    took = f"for {seconds(run.duration)} so far" if run.status == "RUNNING" else f"in {seconds(run.duration)}"
    return el(
        "p",
        pill(status, in_words(run.status, run.degraded)),
        f" {took}: {run.pipeline}, {run.style}, for {run.date:%Y-%m-%d}",
        class_="headline",
    )


def _cause(page: RunOnPage) -> Markup | None:
    return el("p", el("b", "Cause: "), page.history.cause, class_="cause") if page.history.cause else None


def _replaced(page: RunOnPage) -> Markup | None:
    if not page.history.degraded:
        return None
    items = (
        el("li", el("a", step, href=f"#{step}"), f" gave {one.by}, because of {one.why}")
        for one in page.history.degraded
        for step in [f"{one.component}/{one.item}"]
    )
    return el("div", el("p", el("b", "Degraded:"), " something was replaced."), el("ul", *items), class_="degraded")


def _facts(page: RunOnPage) -> Markup:
    run = page.history
    attempts = sum(len(step.attempts) for step in page.steps)
    facts: list[tuple[str, Child]] = [
        ("Started", moment(run.start)),
        (
            "This page shows",
            f"{counted(len(page.steps), 'step')} and {counted(attempts, 'attempt')}, as of {moment(page.now)}",
        ),
        ("Versions", ", ".join(run.versions) or None),
        (
            "Generation",
            f"{run.generation}: redriven {counted(run.generation - 1, 'time')}" if run.generation > 1 else None,
        ),
        ("Execution", el("code", run.execution) if run.execution else None),
    ]
    if run.published:
        rows = counted(run.published.rows, "row")
        facts.append(("Published", join(f"{rows}, sha256 ", el("code", run.published.sha256))))
        facts.append(("", el("code", run.published.uri)))
    return el("dl", *(el("div", el("dt", name), el("dd", fact)) for name, fact in facts if fact), class_="facts")


def _buttons() -> Markup:
    buttons = (
        el("button", text, type="button", value=value) for text, value in (("Open all", "open"), ("Close all", ""))
    )
    return el("p", *buttons, class_="buttons", hidden=True)


def _other_lines(page: RunOnPage) -> Markup | None:
    if page.no_lines:
        return el("section", el("h2", "Log lines"), el("p", page.no_lines), data_part="lines")
    if not page.other_lines:
        return None
    return el("section", el("h2", "Other log lines"), log_block(page.other_lines), data_part="others")
