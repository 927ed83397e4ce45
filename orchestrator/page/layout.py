"""Where a graph's boxes stand: in layers, each component one after the last of those it needs.

A small form of the layered drawing of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: layers by longest path, waypoints where an edge passes a layer, order within layers by barycentre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from contracts.graph import Graph, Node

Point = tuple[float, float]

WAYPOINT = 16.0
"""Room for an edge that passes a layer, across the direction of reading."""

SWEEPS = 4


@dataclass(frozen=True)
class Edge:
    """From a component's box to that of one that needs it. `many`: it carries the results of every item."""

    source: str
    target: str
    many: bool


@dataclass(frozen=True)
class Layout:
    """Boxes by component, each given by its centre, and the points each edge passes, all of them, from box to box.

    `along` is the direction of reading, from the first layer to the last; every point is (along, across), in pixels.
    """

    boxes: dict[str, Point]
    edges: dict[Edge, tuple[Point, ...]]
    along: float
    across: float


def edges_of(graph: Graph) -> list[Edge]:
    """Without those that a longer way implies: nearly everything needs the plan."""
    return [
        Edge(need.component, node.component, need.how == "all")
        for node in graph.nodes
        for need in node.needs
        if not _reaches(graph, need.component, [other.component for other in node.needs if other != need])
    ]


def _reaches(graph: Graph, source: str, targets: list[str]) -> bool:
    """Whether a way leads from `source` to one of `targets`, which are others."""
    found: set[str] = set()
    targets = [target for target in targets if target != source]
    while targets:
        name = targets.pop()
        if name not in found:
            found.add(name)
            targets += [need.component for need in graph.node(name).needs]
    return source in found


def layers_of(nodes: Sequence[Node]) -> dict[str, int]:
    """The length of the longest way to each component. Nodes come after all they need."""
    layer: dict[str, int] = {}
    for node in nodes:
        layer[node.component] = 1 + max((layer[need.component] for need in node.needs), default=-1)
    return layer


def place(graph: Graph, length: float, width: float, gap_along: float, gap_across: float) -> Layout:
    """Place boxes of `length` along the direction of reading and `width` across it, with gaps between them."""
    layer = layers_of(graph.nodes)
    edges = edges_of(graph)
    ways = {edge: _way(edge, layer) for edge in edges}
    rows: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    for node in graph.nodes:
        rows[layer[node.component]].append(node.component)
    for edge, way in ways.items():
        for number, name in enumerate(way[1:-1], start=layer[edge.source] + 1):
            rows[number].append(name)
    _order(rows, [pair for way in ways.values() for pair in pairwise(way)])
    centres, across = _centres(rows, layer, length, width, gap_along, gap_across)
    return Layout(
        boxes={node.component: centres[node.component] for node in graph.nodes},
        edges={edge: tuple(centres[name] for name in way) for edge, way in ways.items()},
        along=len(rows) * length + (len(rows) - 1) * gap_along,
        across=across,
    )


def _way(edge: Edge, layer: dict[str, int]) -> list[str]:
    """Source, one waypoint in each layer between, target."""
    between = range(layer[edge.source] + 1, layer[edge.target])
    return [edge.source, *(f"{edge.source}>{edge.target}>{number}" for number in between), edge.target]


def _order(rows: list[list[str]], pairs: list[tuple[str, str]]) -> None:
    """Sort each layer by the mean place of its neighbours, down and up in turn, so that few edges cross."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(1, len(rows)) if down else reversed(range(len(rows) - 1)):
            beside = rows[number - 1 if down else number + 1]
            at = {name: index - (len(beside) - 1) / 2 for index, name in enumerate(beside)}
            neighbours: dict[str, list[float]] = {name: [] for name in rows[number]}
            for source, target in pairs:
                name, other = (target, source) if down else (source, target)
                if name in neighbours and other in at:
                    neighbours[name].append(at[other])
            rows[number].sort(key=lambda name: _mean(neighbours[name]))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _centres(
    rows: list[list[str]], boxes: dict[str, int], length: float, width: float, gap_along: float, gap_across: float
) -> tuple[dict[str, Point], float]:
    """The centre of every box and waypoint, each layer in the middle, and the room the widest layer takes."""
    widths = [[width if name in boxes else WAYPOINT for name in row] for row in rows]
    totals = [sum(row) + gap_across * (len(row) - 1) for row in widths]
    across = max(totals)
    centres: dict[str, Point] = {}
    for number, row in enumerate(rows):
        begin = (across - totals[number]) / 2
        for name, wide in zip(row, widths[number], strict=True):
            centres[name] = (number * (length + gap_along) + length / 2, begin + wide / 2)
            begin += wide + gap_across
    return centres, across
