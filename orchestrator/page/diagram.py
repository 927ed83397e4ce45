"""The pipeline's graph as a picture, coloured by where the run's steps stand."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from contracts.graph import Graph
from orchestrator.page.content import RunOnPage, StepOnPage, counts_of, status_of
from orchestrator.page.layout import Edge, Layout, Point, place
from orchestrator.page.markup import Markup, el, join
from orchestrator.page.words import MARKS, seconds

BOX_HEIGHT = 62.0

LETTER = 7.6
"""About as wide as a bold letter of a component's name, in pixels."""

MARGIN = 6.0


def diagram(page: RunOnPage, upright: bool) -> Markup:
    """Coloured by status. Boxes lead to the component's steps."""
    said = "; ".join(
        f"{node.component}: {counts_of(page.of(node.component)) or 'waiting'}" for node in page.graph.nodes
    )
    return drawing(page.graph, lambda component: _box(page, component), said, upright)


@dataclass(frozen=True)
class Box:
    """What is written on a component's box below its name, at most two lines, and where it leads."""

    lines: tuple[str, ...]
    href: str
    class_: str
    style: str | None = None


def drawing(graph: Graph, box: Callable[[str], Box], said: str, upright: bool) -> Markup:
    """From left to right or, `upright`, from top to bottom. `said` tells it to those who do not see it."""
    wide = max(120.0, 22 + LETTER * max(len(node.component) for node in graph.nodes))
    if upright:
        layout = place(graph, BOX_HEIGHT, wide, gap_along=30, gap_across=12)
    else:
        layout = place(graph, wide, BOX_HEIGHT, gap_along=26, gap_across=18)
    paper = _Paper(layout, BOX_HEIGHT if upright else wide, upright)
    boxes = (_drawn(component, box(component), paper.at(centre), wide) for component, centre in layout.boxes.items())
    edges = (paper.edge(edge, points) for edge, points in layout.edges.items())
    width, height = paper.size
    return el(
        "svg",
        el("title", f"The pipeline {graph.pipeline}. {said}"),
        *edges,
        *boxes,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"max-width:{width * 1.15:.0f}px",
        role="group",
    )


class _Paper:
    """Turns (along, across) into (x, y)."""

    def __init__(self, layout: Layout, length: float, upright: bool) -> None:
        self._upright = upright
        along, across = layout.along + 2 * MARGIN, layout.across + 2 * MARGIN
        self.size = (across, along) if upright else (along, across)
        self._half = length / 2

    def at(self, point: Point) -> Point:
        along, across = point[0] + MARGIN, point[1] + MARGIN
        return (across, along) if self._upright else (along, across)

    def edge(self, edge: Edge, points: tuple[Point, ...]) -> Markup:
        """A curve through all points that leaves and enters boxes at the middle of a side; the arrow's head ends it."""
        (first, *between, last) = points
        ends = [(first[0] + self._half, first[1]), *between, (last[0] - self._half - 5, last[1])]
        path = f"M{_text(self.at(ends[0]))}"
        for (along, across), (to_along, to_across) in pairwise(ends):
            middle = (along + to_along) / 2
            bends = (self.at((middle, across)), self.at((middle, to_across)), self.at((to_along, to_across)))
            path += f" C{' '.join(_text(point) for point in bends)}"
        tip = self.at((last[0] - self._half, last[1]))
        sides = (self.at((last[0] - self._half - 8, last[1] + side)) for side in (-4.5, 4.5))
        head = el("polygon", points=" ".join(_text(point) for point in (tip, *sides)), class_="head")
        return join(el("path", d=path, class_="many" if edge.many else "one"), head)


def _text(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _box(page: RunOnPage, component: str) -> Box:
    steps = page.of(component)
    status = status_of(steps)
    version = steps[0].version if steps else ""
    counted = f"{MARKS.get(status, '')} {counts_of(steps) or 'waiting'}"
    worked = " · ".join(filter(None, (version, _worked(page, steps))))
    return Box((counted, worked), f"#{component}", f"box {status.replace(' ', '-')}")


def _drawn(component: str, box: Box, centre: Point, wide: float) -> Markup:
    x, y = centre[0] - wide / 2, centre[1] - BOX_HEIGHT / 2
    lines = [el("text", component, x=x + 10, y=y + 19, class_="name")]
    lines += [el("text", line, x=x + 10, y=y + 36 + 16 * number) for number, line in enumerate(box.lines)]
    frame = el("rect", x=x, y=y, width=wide, height=BOX_HEIGHT, rx=6)
    edge = el("rect", x=x, y=y, width=4.0, height=BOX_HEIGHT, rx=2, class_="edge")
    return el("a", frame, edge, *lines, href=box.href, class_=box.class_, style=box.style)


def _worked(page: RunOnPage, steps: list[StepOnPage]) -> str:
    """From the first start to the last end of a component's attempts."""
    spans = [span for step in steps for span in page.spans(step)]
    return seconds(max(end for _, end in spans) - min(start for start, _ in spans)) if spans else ""
