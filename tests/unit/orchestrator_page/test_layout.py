from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.component import Policy
from contracts.graph import Graph, Need, Node
from contracts.pipelines import ORDER_SIMULATION
from orchestrator.diagram import mermaid
from orchestrator.page.layout import Edge, edges_of, layers_of, place

LENGTH, WIDTH, ALONG, ACROSS = 100.0, 40.0, 20.0, 10.0


def graph(needs: dict[str, list[str]]) -> Graph:
    nodes = (
        Node(
            component=name,
            command=f"do-{name}.v1",
            event=f"{name}-done.v1",
            versions=("v1",),
            policy=Policy(),
            needs=tuple(Need(field=f"f{n}", component=other, how="one") for n, other in enumerate(others)),
        )
        for name, others in needs.items()
    )
    return Graph(pipeline="p", deadline=1, nodes=tuple(nodes))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to nine components, each needing any of those before it, the first of them at least."""
    names = [f"c{number}" for number in range(draw(st.integers(1, 9)))]
    needs: dict[str, list[str]] = {names[0]: []}
    for number, name in enumerate(names[1:], start=1):
        needs[name] = sorted(draw(st.sets(st.sampled_from(names[:number]), min_size=1)))
    return graph(needs)


def reachable(edges: set[tuple[str, str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        for source, target in edges:
            if source == name and target not in found:
                found.add(target)
                todo.append(target)
    return found


@given(graphs())
def test_fewer_arrows_say_the_same(of: Graph) -> None:
    every = {(need.component, node.component) for node in of.nodes for need in node.needs}
    kept = {(edge.source, edge.target) for edge in edges_of(of)}
    assert kept <= every
    for node in of.nodes:
        assert reachable(kept, node.component) == reachable(every, node.component)
    for edge in kept:
        assert edge[1] not in reachable(kept - {edge}, edge[0]), "a longer way implies it"


@given(graphs())
def test_each_component_comes_after_all_it_needs_and_no_later_than_it_must(of: Graph) -> None:
    layer = layers_of(of.nodes)
    for node in of.nodes:
        assert layer[node.component] == max((layer[need.component] + 1 for need in node.needs), default=0)


@given(graphs())
def test_boxes_do_not_touch_and_are_on_the_paper(of: Graph) -> None:
    layout = place(of, LENGTH, WIDTH, ALONG, ACROSS)
    boxes = list(layout.boxes.values())
    for number, (along, across) in enumerate(boxes):
        assert LENGTH / 2 <= along <= layout.along - LENGTH / 2 + 1e-6
        assert WIDTH / 2 <= across <= layout.across - WIDTH / 2 + 1e-6
        for other in boxes[:number]:
            apart = abs(other[0] - along) >= LENGTH + ALONG - 1e-6 or abs(other[1] - across) >= WIDTH + ACROSS - 1e-6
            assert apart


@given(graphs())
def test_edges_go_forward_and_through_no_box(of: Graph) -> None:
    layout = place(of, LENGTH, WIDTH, ALONG, ACROSS)
    assert set(layout.edges) == set(edges_of(of))
    for edge, points in layout.edges.items():
        assert points[0] == layout.boxes[edge.source]
        assert points[-1] == layout.boxes[edge.target]
        assert all(later[0] - earlier[0] == LENGTH + ALONG for earlier, later in pairwise(points))
        for along, across in points[1:-1]:
            beside = [box for box in layout.boxes.values() if box[0] == along]
            assert all(abs(box[1] - across) > WIDTH / 2 for box in beside)


@given(graphs())
def test_the_same_graph_is_drawn_the_same(of: Graph) -> None:
    assert place(of, LENGTH, WIDTH, ALONG, ACROSS) == place(of, LENGTH, WIDTH, ALONG, ACROSS)


def test_a_fork_is_side_by_side() -> None:
    layout = place(graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c", "a"]}), LENGTH, WIDTH, ALONG, ACROSS)
    assert layout.boxes == {"a": (50, 45), "b": (170, 20), "c": (170, 70), "d": (290, 45)}
    assert Edge("a", "d", many=False) not in layout.edges


def test_edges_cross_no_more_than_they_must() -> None:
    layout = place(graph({"a": [], "b": ["a"], "c": ["a"], "d": ["c"], "e": ["b"]}), LENGTH, WIDTH, ALONG, ACROSS)
    across = {name: point[1] for name, point in layout.boxes.items()}
    assert (across["b"] < across["c"]) == (across["e"] < across["d"])


def test_the_page_draws_the_arrows_of_the_rendered_diagram() -> None:
    of = ORDER_SIMULATION.graph
    arrows = {
        f"    {e.source} {'==>' if e.many else '-->'} {e.target}".replace("-", "_").replace("__>", "-->")
        for e in edges_of(of)
    }
    drawn = {line for line in mermaid(ORDER_SIMULATION).splitlines() if ">" in line and "[" not in line}
    assert arrows == drawn
