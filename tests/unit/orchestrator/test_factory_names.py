"""A Choice names factories; a history whose factories have other names is told what that means."""

import pytest

from contracts.graph import Graph
from contracts.pipelines import ORDER_SIMULATION
from orchestrator.cli.data import never_computed

GRAPHS = (ORDER_SIMULATION.graph,)


@pytest.mark.parametrize("factories", [("A", "B"), ("B", "A", "C")])
def test_factories_that_the_choice_names_are_fine(factories: tuple[str, ...]) -> None:
    assert never_computed(GRAPHS, factories) == []


def test_a_case_that_computes_nothing_is_told() -> None:
    (told,) = never_computed(GRAPHS, ("A", "north"))
    assert told == (
        "no factory is named B: order-simulation on a monday computes network-configuration for none of them, but reuses "
        "what an earlier run computed, if one did; contracts/pipelines.py names the factories"
    )
    assert len(never_computed(GRAPHS, ("north", "south"))) == 2


def test_a_pipeline_without_a_choice_has_nothing_to_tell() -> None:
    (graph,) = GRAPHS
    nodes = tuple(node.model_copy(update={"selection": None}) for node in graph.nodes)
    assert never_computed((Graph(pipeline="x", deadline=1, nodes=nodes),), ("north",)) == []
