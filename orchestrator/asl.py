"""A pipeline as an Amazon States Language state machine, in JSONPath.

Spec: https://states-language.net. Queue URLs stay placeholders, `${QueueOrderVolume}`, which CloudFormation fills in. Every
task sends a command and waits for its task token. A Map's and a branch's result is its last component's answer, so that
states stay small.
"""

from dataclasses import dataclass, replace
from typing import Any

from contracts.component import LOST_CALLBACKS, Component, Limit
from contracts.errors import PipelineError
from contracts.graph import WHOLE, Graph, Node
from contracts.pipeline import Choice, Flow, Map, Parallel, Pipeline, Sequence
from orchestrator.asl_checks import check_callbacks, check_names, state_name

Json = dict[str, Any]
States = dict[str, Json]

SEND_AND_WAIT = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
UNSENT = Limit(errors=("SQS.SdkClientException", "SQS.AmazonSQSException"), attempts=5)
CARRIED = ("run_id", "traceparent", "chosen")
"""What every scope of the state machine needs besides answers."""


def queue_placeholder(component: str, version: str) -> str:
    """The name of a component's queue in the template: `QueueOrderSimulatorV2`."""
    return "Queue" + "".join(word.title() for word in (*component.split("-"), version))


def render(pipeline: Pipeline) -> Json:
    """The state machine. Raises PipelineError when a callback state lacks one of its two timeouts."""
    states = _sequence(pipeline.flow.steps, Scope(pipeline.graph, {}), only_answer=False)
    machine = {
        "Comment": f"{pipeline.name}, graph {pipeline.graph.digest}, rendered from contracts/pipelines.py",
        "StartAt": "Read flags",
        "TimeoutSeconds": pipeline.deadline,
        "States": {"Read flags": _read_flags(pipeline, next(iter(states))), **states},
    }
    check_callbacks(machine)
    check_names(machine)
    return machine


@dataclass(frozen=True)
class Scope:
    """Where answers are found in the state's data, by component, and what tells the states here from others like them."""

    graph: Graph
    answers: dict[str, str]
    suffix: str = ""

    def with_answer(self, component: str, path: str) -> "Scope":
        return replace(self, answers={**self.answers, component: path})

    def name(self, text: str) -> str:
        return state_name(text, self.suffix)

    def data_of(self, node: Node) -> Json:
        """The command's data, the same as `contracts.resolve.assemble` makes."""
        data: Json = {}
        if node.request_field:
            data[f"{node.request_field}.$"] = "$.request"
        if node.item_field:
            data[f"{node.item_field}.$"] = "$.item"
        return data | {f"{need.field}.$": self.answers[need.component] for need in node.needs}


def variable(component: str) -> str:
    return component.replace("-", "_")


def _flag(component: str, version: str) -> str:
    return f"{variable(component)}_{version}"


def _read_flags(pipeline: Pipeline, following: str) -> Json:
    """A Choice cannot look into a list, so a Pass does it once, at the start."""
    chosen = {
        f"{_flag(component.name, version)}.$": f"States.ArrayContains($.request.versions, '{component.name}={version}')"
        for component in pipeline.components
        if component.flagged
        for version in component.versions[1:]
    }
    return {"Type": "Pass", "Parameters": chosen, "ResultPath": "$.chosen", "Next": following}


def _sequence(steps: tuple[Flow, ...], scope: Scope, only_answer: bool) -> States:
    """The states of steps in a row, each leading to the next; the last one ends the scope, with its answer or with all."""
    rendered: list[States] = []
    for step in steps:
        states, scope = _flow(step, scope, only_answer and step is steps[-1])
        rendered.append(states)
    for states, following in zip(rendered, [*(next(iter(later)) for later in rendered[1:]), None], strict=True):
        _link(states, following)
    return {name: state for states in rendered for name, state in states.items()}


def _link(states: States, following: str | None) -> None:
    for state in states.values():
        if state["Type"] != "Choice":
            state.update({"Next": following} if following else {"End": True})


def _flow(step: Flow, scope: Scope, only_answer: bool) -> tuple[States, Scope]:
    if isinstance(step, Component):
        after = scope.with_answer(step.name, f"$.{variable(step.name)}")
        return _task_states(step, scope, only_answer), after
    if isinstance(step, Parallel):
        return _parallel(step, scope)
    if isinstance(step, Map):
        return _map_states((step,), scope, only_answer)
    if isinstance(step, Choice):
        return _choice(step, scope, only_answer)
    raise PipelineError("a Sequence inside a Sequence: write its steps in the outer one")


def _task_states(component: Component, scope: Scope, only_answer: bool) -> States:
    """One task a version, and its fallback; with several versions, a Choice by the run's flags before them."""
    if not component.flagged:
        return _with_fallback(component.name, component, component.versions[0], scope, only_answer)
    names = {version: scope.name(f"{component.name} {version}") for version in component.versions}
    choice = {
        "Type": "Choice",
        "Choices": [
            {
                "Variable": f"$.chosen.{_flag(component.name, version)}",
                "BooleanEquals": True,
                "Next": names[version],
            }
            for version in component.versions[1:]
        ],
        "Default": names[component.versions[0]],
    }
    states: States = {scope.name(f"Which {component.name}?"): choice}
    for version in component.versions:
        states |= _with_fallback(f"{component.name} {version}", component, version, scope, only_answer)
    return states


def _with_fallback(text: str, component: Component, version: str, scope: Scope, only_answer: bool) -> States:
    """The fallback is the same step with another mode; what was caught is kept beside the data, for people."""
    task = _task(component, version, scope, only_answer)
    if not component.fallback:
        return {scope.name(text): task}
    name = scope.name(f"{text} fallback")
    fallback = _task(component, version, scope, only_answer)
    fallback["Parameters"]["MessageBody"]["mode"] = "fallback"
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": name}
    return {scope.name(text): {**task, "Catch": [catch]}, name: fallback}


def _task(component: Component, version: str, scope: Scope, only_answer: bool) -> Json:
    node = scope.graph.node(component.name)
    item = "$.item.key" if node.over else f"'{WHOLE}'"
    policy = component.policy_of(version)
    return {
        "Type": "Task",
        "Resource": SEND_AND_WAIT,
        "Parameters": {
            "QueueUrl": "${" + queue_placeholder(component.name, version) + "}",
            "MessageBody": {
                "specversion": "1.0",
                "id.$": f"States.Format('{{}}/{component.name}/{{}}', $.run_id, {item})",
                "source": "/brigade/step-functions",
                "type": node.command,
                "time.$": "$$.State.EnteredTime",
                "datacontenttype": "application/json",
                "runid.$": "$.run_id",
                "traceparent.$": "$.traceparent",
                "data": scope.data_of(node),
            },
            "MessageAttributes": {"taskToken": {"DataType": "String", "StringValue.$": "$$.Task.Token"}},
        },
        "TimeoutSeconds": policy.timeout + policy.heartbeat,
        "HeartbeatSeconds": policy.heartbeat,
        "Retry": [*(_retrier(limit) for limit in policy.limits), _retrier(UNSENT)],
        **({} if only_answer else {"ResultPath": f"$.{variable(component.name)}"}),
    }


def _retrier(limit: Limit) -> Json:
    """After a lost callback the next attempt runs the step again, or repeats its stored answer."""
    lost = LOST_CALLBACKS if "WorkerLost" in limit.errors else ()
    return {
        "ErrorEquals": [*limit.errors, *lost],
        "MaxAttempts": limit.attempts - 1,
        "IntervalSeconds": limit.first_delay,
        "BackoffRate": limit.backoff_rate,
        "MaxDelaySeconds": max(limit.max_delay, limit.first_delay + 1),
        "JitterStrategy": "FULL" if limit.jitter else "NONE",
    }


def _parallel(step: Parallel, scope: Scope) -> tuple[States, Scope]:
    branches = [branch.steps if isinstance(branch, Sequence) else (branch,) for branch in step.branches]
    results = [_last_of(steps) for steps in branches]
    if len(results) < 2:
        raise PipelineError(f"a Parallel of {len(results)} branches ({', '.join(results)}): it takes at least two")
    path = "$." + "_and_".join(variable(result) for result in results)
    state = {
        "Type": "Parallel",
        "Branches": [_scope_of(steps, scope) for steps in branches],
        "ResultSelector": {f"{variable(result)}.$": f"$[{number}]" for number, result in enumerate(results)},
        "ResultPath": path,
    }
    for result in results:
        scope = scope.with_answer(result, f"{path}.{variable(result)}")
    return {scope.name(" | ".join(results)): state}, scope


def _scope_of(steps: tuple[Flow, ...], scope: Scope) -> Json:
    states = _sequence(steps, scope, only_answer=True)
    return {"StartAt": next(iter(states)), "States": states}


def _last_of(steps: tuple[Flow, ...]) -> str:
    last = steps[-1]
    while not isinstance(last, Component):
        if isinstance(last, Parallel):
            raise PipelineError("a branch cannot end with a Parallel: its result would be a list of several components")
        last = (last.otherwise if isinstance(last, Choice) else last).steps[-1]
    return last.name


def _choice(step: Choice, scope: Scope, only_answer: bool) -> tuple[States, Scope]:
    """The same Map over different items, by a field of the plan."""
    field = f"{scope.answers[scope.graph.planner.component]}.{step.field}"
    name = scope.name(f"Which {step.otherwise.steps[-1].name} by {step.field}?")
    choice = {
        "Type": "Choice",
        "Choices": [
            {"Variable": field, "StringEquals": value, "Next": _map_name(chosen)}
            for value, chosen in step.cases.items()
        ],
        "Default": _map_name(step.otherwise),
    }
    maps, scope = _map_states(step.maps, scope, only_answer)
    return {name: choice, **maps}, scope


def _map_name(step: Map) -> str:
    return state_name(f"{step.steps[-1].name} for {step.field}", _only(step))


def _only(step: Map) -> str:
    return f", only {', '.join(step.only)}" if step.only else ""


def _map_states(maps: tuple[Map, ...], scope: Scope, only_answer: bool) -> tuple[States, Scope]:
    path = f"$.{variable(maps[0].steps[-1].name)}"
    result = {} if only_answer else {"ResultPath": path}
    states = {_map_name(step): _map(step, scope) | result for step in maps}
    return states, scope.with_answer(maps[0].steps[-1].name, path)


def _map(step: Map, scope: Scope) -> Json:
    """Inside, the state holds the item and the answers that its components need, under the names they have outside."""
    outer = {path.removeprefix("$.").split(".")[0] for path in scope.answers.values()}
    carried = sorted({*CARRIED, *(name for name in outer if _is_needed(name, step, scope))})
    states = _sequence(step.steps, replace(scope, suffix=_only(step)), only_answer=True)
    if step.only:
        states = {**_reuse(step, next(iter(states))), **states}
    return {
        "Type": "Map",
        "ItemsPath": f"{scope.answers[scope.graph.planner.component]}.{step.field}",
        "ItemSelector": {"item.$": "$$.Map.Item.Value", **{f"{name}.$": f"$.{name}" for name in carried}},
        "MaxConcurrency": step.max_concurrency,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": next(iter(states)),
            "States": states,
        },
    }


def _is_needed(name: str, step: Map, scope: Scope) -> bool:
    needed = {need.component for component in step.steps for need in scope.graph.node(component.name).needs}
    return any(scope.answers[n].removeprefix("$.").split(".")[0] == name for n in needed if n in scope.answers)


def _reuse(step: Map, compute: str) -> States:
    """An item that is not selected is answered with its earlier result, when it has one."""
    not_selected = [{"Not": {"Variable": "$.item.key", "StringEquals": key}} for key in step.only]
    has_earlier = [
        {"Variable": "$.item.last", "IsPresent": True},
        {"Not": {"Variable": "$.item.last", "IsNull": True}},
    ]
    question, reuse = (state_name(f"{text} {step.steps[-1].name}", _only(step)) for text in ("May reuse", "Reuse"))
    return {
        question: {
            "Type": "Choice",
            "Choices": [{"And": [*has_earlier, *not_selected], "Next": reuse}],
            "Default": compute,
        },
        reuse: {"Type": "Pass", "OutputPath": "$.item.last.output", "End": True},
    }
