"""When each component starts if each has a clock of its own: as pipelines ran before anything told them of each other."""

from collections.abc import Mapping

from contracts.graph import Graph


def timetable(graph: Graph, expected: Mapping[str, float], buffer: float) -> dict[str, float]:
    """Seconds from the planner's start to each component's, by component.

    A component starts a buffer after all that it takes something from should have ended; `expected` is how long each takes.
    """
    starts: dict[str, float] = {}
    for node in graph.nodes:
        ends = [starts[need.component] + expected[need.component] for need in node.needs]
        starts[node.component] = max(ends) + buffer if ends else 0.0
    return starts
