"""From a plan to the steps of a run, for arbitrary plans."""

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.configurator import RunPlanned
from contracts.errors import BadRequest
from contracts.graph import WHOLE, Graph
from contracts.pipelines import ORDER_SIMULATION
from contracts.resolve import Step, assemble, first_step, resolve
from contracts.run import RunRequest
from tests.unit.contracts.kitchen import HERBS, HOST, pipeline
from tests.unit.contracts.plans import DAY, REQUESTS, answer, plans

GRAPH = ORDER_SIMULATION.graph
COMPONENTS = {component.name: component for component in ORDER_SIMULATION.components}
SELECTED = {"friday": {"A"}, "monday": {"B"}}


def steps_of(request: RunRequest, plan: RunPlanned) -> tuple[Step, ...]:
    return (first_step(GRAPH, request), *resolve(GRAPH, request, plan.model_dump(mode="json")))


@given(request=REQUESTS, plan=plans())
def test_every_component_has_a_step_for_each_of_its_items(request: RunRequest, plan: RunPlanned) -> None:
    keys = {
        "batches": [batch.key for batch in plan.batches],
        "factories": [factory.key for factory in plan.factories],
        "weeks": [week.key for week in plan.weeks],
        None: [WHOLE],
    }
    expected = [(node.component, item) for node in GRAPH.nodes for item in keys[node.over]]
    assert [(step.component, step.item) for step in steps_of(request, plan)] == expected


@given(request=REQUESTS, plan=plans())
def test_needs_are_earlier_steps_of_the_same_run_and_complete(request: RunRequest, plan: RunPlanned) -> None:
    steps = steps_of(request, plan)
    by_component: dict[str, list[Step]] = {}
    for number, step in enumerate(steps):
        assert set(step.needs) <= {earlier.key for earlier in steps[:number]}
        assert len(set(step.needs)) == len(step.needs)
        node = GRAPH.node(step.component)
        assert {key.split("/")[0] for key in step.needs} == {need.component for need in node.needs}
        for need in node.needs:
            mine = [key for key in step.needs if key.startswith(f"{need.component}/")]
            if need.how == "all":
                assert mine == [other.key for other in by_component[need.component]]
            else:
                assert mine == [f"{need.component}/{step.item if need.how == 'same' else WHOLE}"]
        by_component.setdefault(step.component, []).append(step)


@given(request=REQUESTS, plan=plans())
def test_only_what_is_not_selected_and_has_an_earlier_result_is_reused(request: RunRequest, plan: RunPlanned) -> None:
    last = {factory.key: factory.last for factory in plan.factories}
    selected = SELECTED.get(plan.weekday, set(last))
    for step in steps_of(request, plan):
        if step.component == "network-configuration" and step.item not in selected:
            assert step.reused == last[step.item]
        else:
            assert step.reused is None


@given(request=REQUESTS, plan=plans())
def test_versions_are_those_pinned(request: RunRequest, plan: RunPlanned) -> None:
    pinned = dict(pair.split("=") for pair in request.versions)
    first = {node.component: node.versions[0] for node in GRAPH.nodes}
    assert all(step.version == pinned.get(step.component, first[step.component]) for step in steps_of(request, plan))


@given(request=REQUESTS, plan=plans())
def test_assembled_data_fits_the_input_of_its_component(request: RunRequest, plan: RunPlanned) -> None:
    """From exactly the answers that the step needs, and the plan."""
    answers = {step.key: answer(step.component, step.item, plan) for step in steps_of(request, plan)}
    for step in steps_of(request, plan):
        known = {key: answers[key] for key in {*step.needs, "configurator/-"}}
        data = assemble(GRAPH, GRAPH.node(step.component), step.item, request, known)
        parsed: Any = COMPONENTS[step.component].input.model_validate(data)
        assert set(data) == set(type(parsed).model_fields)
        match step.component:
            case "configurator":
                assert parsed.request == request
            case "network-configuration":
                assert parsed.factory.key == step.item
            case "order-simulator":
                assert [n.factory for n in parsed.networks] == [factory.key for factory in plan.factories]
            case "site-forecast":
                assert parsed.simulated.orders.uri == f"s3://bucket/order-simulator/{step.item}.parquet"


def test_the_only_version_of_a_component_need_not_be_the_first_ever() -> None:
    host = HOST.model_copy(update={"versions": ("v2",)})
    herbs = HERBS.model_copy(update={"versions": ("v3",)})
    graph = pipeline(host, herbs).graph
    assert first_step(graph, any_request()).version == "v2"
    assert [step.version for step in resolve(graph, any_request(), {})] == ["v3"]


def test_a_map_over_nothing_is_refused() -> None:
    """Its consumers would wait for ever."""
    with pytest.raises(BadRequest, match="the plan lists no batches, so data-extractor has nothing to do"):
        resolve(GRAPH, any_request(), {"batches": []})


def test_one_key_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="batches with the same key twice: b1, b1"):
        resolve(GRAPH, any_request(), {"batches": [{"key": "b1"}, {"key": "b1"}]})


def any_request() -> RunRequest:
    return RunRequest(run_id="r1", pipeline="order-simulation", date=DAY)


@st.composite
def changed_graphs(draw: st.DrawFn) -> Graph:
    """The graph with one thing different: a deadline, an order, a component left out, or something of one node."""
    node = draw(st.integers(0, len(GRAPH.nodes) - 1))
    policy = GRAPH.nodes[node].policy
    kind = draw(st.sampled_from(["pipeline", "deadline", "drop", "swap", "policy", "versions", "event", "selection"]))
    if kind == "pipeline":
        return GRAPH.model_copy(update={"pipeline": draw(st.text(min_size=1).filter(lambda t: t != GRAPH.pipeline))})
    if kind == "deadline":
        return GRAPH.model_copy(update={"deadline": GRAPH.deadline + draw(st.integers(1, 1000))})
    nodes = list(GRAPH.nodes)
    if kind == "drop":
        del nodes[node]
    elif kind == "swap":
        other = draw(st.integers(0, len(nodes) - 1).filter(lambda n: n != node))
        nodes[node], nodes[other] = nodes[other], nodes[node]
    else:
        changes: dict[str, Any] = {
            "policy": policy.model_copy(update={"timeout": policy.timeout + draw(st.integers(1, 1000))}),
            "versions": (*nodes[node].versions, "v9"),
            "event": nodes[node].event + "x",
            "selection": {"on": "weekday", "cases": {"sunday": ["Z"]}},
        }
        update = nodes[node].model_dump() | {kind: changes[kind]}
        nodes[node] = type(nodes[node]).model_validate(update)
    return GRAPH.model_copy(update={"nodes": tuple(nodes)})


@given(changed=changed_graphs())
def test_a_digest_names_one_graph(changed: Graph) -> None:
    assert changed.digest != GRAPH.digest
    stored = Graph.model_validate_json(changed.model_dump_json())
    assert stored == changed
    assert stored.digest == changed.digest


def test_a_digest_is_the_same_in_every_process() -> None:
    program = "from contracts.pipelines import ORDER_SIMULATION; print(ORDER_SIMULATION.graph.digest)"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        answer = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
        assert answer.strip() == GRAPH.digest
