"""A pipeline as a Mermaid flowchart: boxes are components, arrows are the edges that types make."""

from contracts.graph import Node
from contracts.pipeline import Pipeline


def mermaid(pipeline: Pipeline) -> str:
    graph = pipeline.graph
    lines = ["flowchart TD"]
    lines += [f'    {_id(node.component)}["{_label(node)}"]' for node in graph.nodes]
    for node in graph.nodes:
        for need in node.needs:
            if not _implied(need.component, node.component, pipeline):
                arrow = "==>" if need.how == "all" else "-->"
                lines.append(f"    {_id(need.component)} {arrow} {_id(node.component)}")
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    label = node.component
    if len(node.versions) > 1:
        label += f" ({' or '.join(node.versions)})"
    if node.over:
        label += f"<br/>for each of {node.over}"
    if node.selection:
        cases = ", ".join(f"{value}: {' '.join(only)}" for value, only in node.selection.cases.items())
        label += f"<br/>{cases}"
    return label


def _id(component: str) -> str:
    return component.replace("-", "_")


def _implied(producer: str, consumer: str, pipeline: Pipeline) -> bool:
    """Whether a longer way leads from producer to consumer: the picture leaves such an arrow out."""
    graph = pipeline.graph
    others = [need.component for need in graph.node(consumer).needs if need.component != producer]
    reached: set[str] = set()
    while others:
        name = others.pop()
        if name not in reached:
            reached.add(name)
            others += [need.component for need in graph.node(name).needs]
    return producer in reached
