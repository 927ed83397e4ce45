"""Each step with its attempts, input, output, error and log lines, folded until somebody asks."""

from datetime import datetime
from typing import Any

from contracts.graph import WHOLE, Node
from orchestrator.history import AttemptAtStep
from orchestrator.logs import Line
from orchestrator.page.content import RunOnPage, StepOnPage, counts_of
from orchestrator.page.markup import Child, Markup, el, join
from orchestrator.page.words import MARKS, clock, counted, pretty, seconds


def component_section(page: RunOnPage, node: Node) -> Markup:
    steps = page.of(node.component)
    about = [counts_of(steps) or "No steps: there was no plan"]
    if node.over:
        about.append(f"One step for each of the plan's {node.over}")
    if node.selection:
        cases = "; ".join(f"{value}: {', '.join(only)}" for value, only in node.selection.cases.items())
        about.append(f"On some days only these are computed, others reused: {cases}")
    return el(
        "section",
        el("h3", node.component, id=node.component),
        el("p", ". ".join(about), class_="about"),
        *(_step(page, step) for step in steps),
    )


def pill(status: str, word: str | None = None) -> Markup:
    return el("span", f"{MARKS.get(status, '')} {word or status}", class_=f"pill {status.replace(' ', '-')}")


def _step(page: RunOnPage, step: StepOnPage) -> Markup:
    name = "whole run" if step.item == WHOLE else step.item
    worked = sum(end - start for start, end in page.spans(step))
    about = [step.version]
    if step.attempts:
        about.append(f"{counted(len(step.attempts), 'attempt')}, {seconds(worked)}")
    summary = el("summary", el("b", name), " ", pill(step.status), " ", el("small", " · ".join(about)))
    plan = page.graph.planner.component
    inside = (
        _attempts(step) if step.attempts else None,
        _needs(step),
        _input(step, _plan_of(page), plan),
        _block("Output", pretty(step.last.output)) if step.last.output is not None else None,
        log_block(step.lines) if step.lines else None,
    )
    return el("details", summary, el("div", *inside, class_="inside"), id=step.key, open=step.status == "failed")


def _attempts(step: StepOnPage) -> Markup:
    columns = ("attempt", "status", "start (UTC)", "seconds", "worker", "error")
    headings = (el("th", column, scope="col", role="columnheader") for column in columns)
    head = el("thead", el("tr", *headings, role="row"), role="rowgroup")
    rows = (_attempt(attempt) for attempt in step.attempts)
    caption = el("caption", f"Attempts at {step.key}")
    # Roles, because browsers take a table that is laid out as lines on a telephone for no table any more.
    body = el("tbody", *rows, role="rowgroup")
    return el("div", el("table", caption, head, body, role="table"), class_="scroll")


def _attempt(attempt: AttemptAtStep) -> Markup:
    cells: tuple[Child, ...] = (
        join(pill(attempt.status), None if attempt.mode == "normal" else f" {attempt.mode}"),
        clock(attempt.start) if attempt.start else None,
        f"{attempt.duration:.3f}" if attempt.duration is not None else None,
        attempt.worker,
        el("span", attempt.error, class_="error") if attempt.error else None,
    )
    number = el("th", str(attempt.attempt), scope="row", role="rowheader")
    return el("tr", number, *(el("td", cell, role="cell") for cell in cells), role="row")


def _needs(step: StepOnPage) -> Markup | None:
    if not step.needs:
        return None
    links = (join(", " if number else None, el("a", need, href=f"#{need}")) for number, need in enumerate(step.needs))
    return el("p", "Needs ", *links, class_="about")


def _plan_of(page: RunOnPage) -> Any:
    steps = page.of(page.graph.planner.component)
    return steps[0].last.output if steps else None


def _input(step: StepOnPage, plan: Any, planner: str) -> Markup | None:
    """The plan is in nearly every input, and shown once: where it was made."""
    given = step.last.input
    if given is None:
        return None
    same = [name for name, value in given.items() if plan is not None and value == plan]
    rest = {name: value for name, value in given.items() if name not in same}
    links = (
        el("p", el("code", name), ": ", el("a", f"the output of {planner}", href=f"#{planner}/{WHOLE}"))
        for name in same
    )
    return _block("Input", pretty(rest) if rest else None, *links)


def _block(name: str, text: str | None, *before: Markup) -> Markup:
    body = el("pre", text, tabindex=0, aria_label=name) if text is not None else None
    return el("details", el("summary", name), *before, body, class_="block", data_part=name)


def log_block(lines: tuple[Line, ...], name: str = "Log") -> Markup:
    """Open: it is what somebody who opened the step wants to see."""
    rows = (_line(line) for line in lines)
    return el(
        "details",
        el("summary", f"{name}, {counted(len(lines), 'line')}"),
        el("ol", *rows),
        class_="block log",
        open=True,
        data_part=name,
    )


def _line(line: Line) -> Markup:
    level = str(line.get("level", ""))
    attempt = f"#{line['attempt']} " if "attempt" in line else ""
    exception = line.get("exception")
    return el(
        "li",
        el("time", _time(str(line.get("timestamp", "")))),
        " ",
        el("b", level, class_=level.lower()),
        f" {attempt}{line.get('message', '')}",
        el("pre", str(exception), tabindex=0, aria_label="Traceback") if exception else None,
    )


def _time(timestamp: str) -> str:
    try:
        return clock(datetime.fromisoformat(timestamp))
    except ValueError:
        return timestamp
