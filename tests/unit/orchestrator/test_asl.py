"""The state machine: legal, bounded in time, and sending exactly what `contracts.resolve` says."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from contracts.component import Component, Limit, Policy
from contracts.configurator import RunPlanned
from contracts.envelope import Envelope, StepKey
from contracts.errors import PipelineError
from contracts.message import Command, Event
from contracts.pipeline import Choice, Flow, Map, Parallel, Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION, PIPELINES
from contracts.resolve import assemble, first_step, resolve
from contracts.run import RunRequest, pin_versions
from orchestrator import asl
from orchestrator.asl_checks import all_states, check_callbacks, check_names, state_name
from tests.unit.contracts import kitchen
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, LAYER, WAITER, Booked, HerbsChopped, component, pipeline
from tests.unit.contracts.plans import DAY, REQUESTS, answer, plans
from tests.unit.orchestrator.asl_interpreter import Interpreter

Json = dict[str, Any]


class GarnishTables(Command):
    plan: Booked
    herbs: HerbsChopped
    served: tuple[kitchen.TableServed, ...]


class TablesGarnished(Event):
    pass


class TasteHerbs(Command):
    plan: Booked
    herbs: HerbsChopped


class HerbsTasted(Event):
    pass


class SayGoodbye(Command):
    plan: Booked
    garnished: TablesGarnished
    tasted: HerbsTasted


class GoodbyeSaid(Event):
    pass


class WatchEvening(Command):
    plan: Booked


class EveningWatched(Event):
    pass


TABLES = Map((LAYER, WAITER), over="plan.tables")
GARNISHER = component("garnisher", GarnishTables, TablesGarnished, ("v1", "v2", "v3"))
TASTER = component("taster", TasteHerbs, HerbsTasted, ("v1", "v2"))
BOTH_VERSIONS = Map((LAYER.model_copy(update={"versions": ("v1", "v2")}), WAITER), over="plan.tables")


def only(*tables: str) -> Map:
    return Map((LAYER, WAITER), over="plan.tables", only=tables)


BY_EVENING = Choice(on="plan.evening", cases={"friday": only("1"), "saturday": only("2", "3")}, otherwise=TABLES)

SHAPES: dict[str, tuple[Flow, ...]] = {
    "one": (HOST,),
    "map at the end": (HOST, TABLES),
    "flagged in a map": (HOST, BOTH_VERSIONS, CLOSER),
    "flagged at the end": (HOST, HERBS, TASTER),
    "choice": (HOST, BY_EVENING, CLOSER),
    "case that computes all": (HOST, Choice("plan.evening", {"friday": TABLES}, TABLES), CLOSER),
    "branch that ends in a map": (HOST, HERBS, Parallel((TABLES, TASTER)), GARNISHER),
    "branch that ends in a choice": (HOST, HERBS, Parallel((Sequence((BY_EVENING,)), TASTER)), GARNISHER),
    "branch that ends in a sequence": (
        HOST,
        HERBS,
        Parallel((Sequence((TABLES, GARNISHER)), TASTER)),
        component("porter", SayGoodbye, GoodbyeSaid),
    ),
    "parallel in a branch": (
        HOST,
        Parallel((Sequence((Parallel((HERBS, TABLES)), GARNISHER)), component("owl", WatchEvening, EveningWatched))),
    ),
    "many selected": (
        HOST,
        Choice("plan.evening", {"friday": only(*map(str, range(40))), "saturday": only(*map(str, range(50)))}, TABLES),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("evening", ["friday", "saturday"])
@pytest.mark.parametrize("version", [0, -1])
def test_every_shape_sends_what_resolve_says(shape: str, evening: str, version: int) -> None:
    built = pipeline(*SHAPES[shape])
    flags = {c.name: c.versions[version] for c in built.components if c.flagged}
    versions = pin_versions({c.name: c.versions for c in built.components}, flags)
    request = RunRequest(run_id="r1", pipeline=built.name, date=DAY, versions=versions)
    last = {"run_id": "r0", "date": "2026-11-20", "output": {"by": "r0"}}
    tables = [{"key": "1"}, {"key": "2", "last": None}, {"key": "3", "last": last}, {"key": "4", "last": last}]
    plan = {"tables": tables, "rooms": [], "evening": evening}
    hold_against_resolve(built, request, {f"{c.name}": {"by": c.name} for c in built.components} | {"host": plan})


def hold_against_resolve(built: Pipeline, request: RunRequest, by_component: dict[str, Json]) -> None:
    def reply(component: str, item: str) -> Json:
        return by_component[component] | ({} if component == "host" else {"item": item})

    graph = built.graph
    steps = (first_step(graph, request), *resolve(graph, request, by_component[graph.planner.component]))
    answers = {s.key: s.reused.output if s.reused else reply(s.component, s.item) for s in steps}
    expected = {
        f"{request.run_id}/{step.key}": (
            "${" + asl.queue_placeholder(step.component, step.version) + "}",
            assemble(graph, graph.node(step.component), step.item, request, answers),
        )
        for step in steps
        if not step.reused
    }
    assert sent_by(built, request, lambda key: reply(key.component, key.item)) == expected


def sent_by(built: Pipeline, request: RunRequest, reply: Any) -> dict[str, tuple[str, Json]]:
    """The queue and the data of every command, by step id."""
    machine = Interpreter(lambda body: reply(StepKey.parse(body["id"])))
    start = {"run_id": request.run_id, "request": request.model_dump(mode="json"), "traceparent": "00-ab-cd-01"}
    machine.run(asl.render(built), start)
    envelopes = [(url, Envelope[Json].model_validate_json(json.dumps(body))) for url, body in machine.sent]
    for _, envelope in envelopes:
        assert envelope.type == built.graph.node(StepKey.parse(envelope.id).component).command
        assert (envelope.runid, envelope.traceparent) == (request.run_id, "00-ab-cd-01")
    found = {envelope.id: (url, envelope.data) for url, envelope in envelopes}
    assert len(found) == len(envelopes), "a step was sent twice"
    return found


@settings(deadline=None)  # an example walks a whole state machine, for more than 200 ms where the machine is busy
@given(request=REQUESTS, plan=plans())
def test_the_order_simulation_sends_what_resolve_says(request: RunRequest, plan: RunPlanned) -> None:
    def reply(key: StepKey) -> Json:
        return answer(key.component, key.item, plan)

    graph = ORDER_SIMULATION.graph
    steps = (first_step(graph, request), *resolve(graph, request, plan.model_dump(mode="json")))
    answers = {s.key: s.reused.output if s.reused else answer(s.component, s.item, plan) for s in steps}
    assert sent_by(ORDER_SIMULATION, request, reply) == {
        f"r1/{step.key}": (
            "${" + asl.queue_placeholder(step.component, step.version) + "}",
            assemble(graph, graph.node(step.component), step.item, request, answers),
        )
        for step in steps
        if not step.reused
    }


@pytest.mark.parametrize("shape", [*SHAPES, "order-simulation"])
def test_state_names_are_unique_in_the_whole_machine(shape: str) -> None:
    """AWS refuses one that is not (DUPLICATE_STATE_NAME), or over 80 characters; LocalStack takes both."""
    built = ORDER_SIMULATION if shape == "order-simulation" else pipeline(*SHAPES[shape])
    names = [name for name, _ in all_states(asl.render(built))]
    assert len(set(names)) == len(names), sorted(names)
    assert max(map(len, names)) <= 80


@pytest.mark.parametrize("built", PIPELINES, ids=lambda built: built.name)
def test_callbacks_are_bounded_in_time(built: Pipeline) -> None:
    callbacks = [s for _, s in all_states(asl.render(built)) if s.get("Resource") == asl.SEND_AND_WAIT]
    assert len(callbacks) >= sum(len(component.versions) for component in built.components)
    for state in callbacks:
        assert 0 < state["HeartbeatSeconds"] < state["TimeoutSeconds"]


@pytest.mark.parametrize(
    "missing", [("TimeoutSeconds",), ("HeartbeatSeconds",), ("TimeoutSeconds", "HeartbeatSeconds")]
)
@pytest.mark.parametrize("state", ["configurator", "data-extractor", "order-volume direct", "order-simulator v2"])
def test_a_callback_without_both_timeouts_is_refused(state: str, missing: tuple[str, ...]) -> None:
    machine = copy.deepcopy(asl.render(ORDER_SIMULATION))
    found = dict(all_states(machine))[state]
    for key in missing:
        del found[key]
    with pytest.raises(PipelineError, match=f"callback state {state} has no {' and no '.join(missing)}"):
        check_callbacks(machine)


def test_a_callback_with_a_timeout_of_zero_is_refused() -> None:
    machine = asl.render(ORDER_SIMULATION)
    machine["States"]["publisher"]["HeartbeatSeconds"] = 0
    with pytest.raises(PipelineError, match="publisher has no HeartbeatSeconds"):
        check_callbacks(machine)


def test_a_policy_becomes_retriers() -> None:
    limits = (
        Limit(errors=("TransientError", "WorkerLost"), attempts=4, first_delay=2, backoff_rate=3.0, max_delay=20),
        Limit(errors=("ResourcePending",), attempts=100, first_delay=40, backoff_rate=1.0, jitter=False),
    )
    policy = Policy(timeout=50, heartbeat=10, lease=4, limits=limits)
    state = task_of(HERBS.model_copy(update={"policy": policy}))
    assert (state["TimeoutSeconds"], state["HeartbeatSeconds"]) == (60, 10)
    failures, pending, unsent = state["Retry"]
    assert failures == {
        "ErrorEquals": ["TransientError", "WorkerLost", "States.Timeout", "States.HeartbeatTimeout"],
        "MaxAttempts": 3,
        "IntervalSeconds": 2,
        "BackoffRate": 3.0,
        "MaxDelaySeconds": 20,
        "JitterStrategy": "FULL",
    }
    assert (pending["ErrorEquals"], pending["MaxAttempts"]) == (["ResourcePending"], 99)
    assert pending["JitterStrategy"] == "NONE"
    assert pending["MaxDelaySeconds"] > pending["IntervalSeconds"] == 40  # or AWS refuses it
    assert all(error.startswith("SQS.") for error in unsent["ErrorEquals"])


def test_a_fallback_is_the_same_step_in_another_mode_for_whatever_was_caught() -> None:
    taster = TASTER.model_copy(update={"fallback": True})
    machine = asl.render(pipeline(HOST, HERBS.model_copy(update={"fallback": True}), taster))
    states = dict(all_states(machine))
    for name in ("herbs", "taster v1", "taster v2"):
        own, other = states[name], states[f"{name} fallback"]
        assert own["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": f"{name} fallback"}]
        assert "mode" not in own["Parameters"]["MessageBody"]
        assert other["Parameters"]["MessageBody"] == own["Parameters"]["MessageBody"] | {"mode": "fallback"}
        assert "Catch" not in other
        assert {key: own.get(key) for key in ("Next", "End", "Retry", "ResultPath")} == {
            key: other.get(key) for key in ("Next", "End", "Retry", "ResultPath")
        }
    assert "Catch" not in states["host"]


def task_of(herbs: Component) -> Json:
    state: Json = asl.render(pipeline(HOST, herbs))["States"]["herbs"]
    return state


def test_no_retrier_takes_what_retrying_cannot_help() -> None:
    for _, state in all_states(asl.render(ORDER_SIMULATION)):
        for retrier in state.get("Retry", ()):
            assert not {"BadData", "ContractViolation", "States.ALL", "States.TaskFailed"} & set(retrier["ErrorEquals"])


def test_a_sequence_in_a_sequence_is_refused() -> None:
    with pytest.raises(PipelineError, match="Sequence inside a Sequence"):
        asl.render(pipeline(HOST, Sequence((HERBS,))))


def test_a_branch_that_ends_with_a_parallel_is_refused() -> None:
    with pytest.raises(PipelineError, match="cannot end with a Parallel"):
        asl.render(
            pipeline(HOST, Parallel((Parallel((HERBS, TABLES)), component("owl", WatchEvening, EveningWatched))))
        )


def test_a_parallel_of_one_branch_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"a Parallel of 1 branches \(herbs\): it takes at least two"):
        asl.render(pipeline(HOST, Parallel((HERBS,))))


def test_two_states_of_one_name_are_refused() -> None:
    machine = {"States": {"a": {"Type": "Map", "ItemProcessor": {"States": {"b": {}, "a": {}}}}}}
    with pytest.raises(PipelineError, match=r"several states named a$"):
        check_names(machine)


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    assert state_name("a" * 70, ", only A") == "a" * 70 + ", only A"
    names = [state_name("a" * 80, end) for end in ("", "b", "c")]
    assert len(set(names)) == len(names)
    assert [len(name) for name in names] == [80, 80, 80]


@pytest.mark.parametrize(
    ("component_name", "version", "placeholder"),
    [("order-simulator", "v2", "QueueOrderSimulatorV2"), ("publisher", "v1", "QueuePublisherV1")],
)
def test_a_queue_has_the_name_the_template_gives_it(component_name: str, version: str, placeholder: str) -> None:
    assert asl.queue_placeholder(component_name, version) == placeholder
