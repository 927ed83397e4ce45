"""Every attempt as a bar over the run's time."""

import math

from orchestrator.page.content import RunOnPage, StepOnPage
from orchestrator.page.markup import Markup, el, join
from orchestrator.page.words import seconds

TICKS = 6


def timeline(page: RunOnPage) -> Markup:
    """Components in the pipeline's order, in each one row for an item, in each row one bar for an attempt."""
    step = tick_step(page.seconds)
    ticks = [step * number for number in range(math.floor(page.seconds / step) + 1)]
    labels = (el("span", f"{tick:g} s", style=f"--x:{100 * tick / page.seconds:.2f}") for tick in ticks)
    rows = (_component(page, node.component) for node in page.graph.nodes)
    axis = el("div", el("span", *labels, class_="track"), class_="row axis", aria_hidden="true")
    return el("div", axis, *rows, class_="timeline", style=f"--step:{100 * step / page.seconds:.4f}%")


def tick_step(length: float) -> float:
    """Seconds between two marks: 1, 2 or 5 times a power of ten, at most `TICKS` of them."""
    power: float = 10 ** math.floor(math.log10(length / TICKS))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= length / TICKS)


def _component(page: RunOnPage, component: str) -> Markup | None:
    steps = [step for step in page.of(component) if step.attempts or step.status == "reused"]
    if not steps:
        return None
    rows = [_row(page, step) for step in steps]
    return el("ul", *rows, aria_label=component)


def _row(page: RunOnPage, step: StepOnPage) -> Markup:
    spans = page.spans(step)
    bars = []
    for attempt, (start, end) in zip(step.attempts, spans, strict=True):
        left, width = 100 * start / page.seconds, 100 * (end - start) / page.seconds
        said = f"attempt {attempt.attempt}, {attempt.status}, from {seconds(start)} to {seconds(end)}"
        place = f"--x:{left:.2f};--w:{width:.2f}"
        bars.append(el("i", style=place, title=said, class_=f"bar {attempt.status}"))
    worked = seconds(sum(end - start for start, end in spans)) if spans else step.status
    name = step.component if step.item == "-" else join(step.component, " ", el("b", step.item))
    tries = f"{len(spans)} attempts, " if len(spans) > 1 else ""
    return el(
        "li",
        el("a", name, href=f"#{step.key}"),
        el("span", *bars, class_="track"),
        el("small", f"{tries}{worked}"),
        class_="row",
    )
