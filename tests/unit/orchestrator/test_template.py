"""The CloudFormation template of queues, topic, subscriptions, state machines and bucket."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from contracts.component import Component, Policy
from contracts.graph import Node
from contracts.pipeline import Map, Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION, PIPELINES, all_components, component_named
from orchestrator import asl, template
from tests.unit.contracts.kitchen import HERBS, HOST, LAYER, pipeline
from tests.unit.contracts.orders import ORDERS

Json = dict[str, Any]
WORKERS = [(component, version) for component in all_components() for version in component.versions]


def resources(kind: str, pipelines: tuple[Pipeline, ...] = PIPELINES) -> dict[str, Json]:
    found = template.render(pipelines)["Resources"]
    return {name: resource["Properties"] for name, resource in found.items() if resource["Type"] == kind}


def test_cfn_lint_finds_no_errors_and_no_warnings(tmp_path: Path) -> None:
    file = tmp_path / "messaging.template.json"
    file.write_text(json.dumps(template.render(PIPELINES)), encoding="utf-8")
    argv = [str(Path(sys.executable).with_name("cfn-lint")), str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cloudformation_takes_it() -> None:
    """At most 1 MB, from a bucket: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
    assert len(json.dumps(template.render(PIPELINES), separators=(",", ":"))) < 1_000_000


def test_every_worker_has_a_queue_and_a_dead_letter_queue() -> None:
    queues = resources("AWS::SQS::Queue")
    assert len(queues) == 2 * len(WORKERS)
    for component, version in WORKERS:
        name = asl.queue_placeholder(component.name, version)
        assert queues[name]["VisibilityTimeout"] == component.policy.lease
        assert queues[name]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}
        assert "RedrivePolicy" not in queues[f"{name}DeadLetters"]
    names = [json.dumps(queue["QueueName"]) for queue in queues.values()]
    assert len(set(names)) == len(names)


def test_everything_with_a_name_is_named_after_the_prefix() -> None:
    """So that several deployments can share an account."""
    for name, resource in template.render(PIPELINES)["Resources"].items():
        for key, value in resource["Properties"].items():
            if key.endswith("Name") and name != "Prefix":
                assert value["Fn::Sub"].startswith("${Prefix}-"), (name, key)


def test_what_workers_and_commands_look_up_is_an_output() -> None:
    body = template.render(PIPELINES)
    queues = [asl.queue_placeholder(component.name, version) for component, version in WORKERS]
    machines = [template.state_machine_name(built.name) for built in PIPELINES]
    topics = [template.topic_placeholder(component.name) for component in all_components()]
    expected = {"Bucket", *topics, *machines, *queues, *(f"{queue}DeadLetters" for queue in queues)}
    assert set(body["Outputs"]) == expected
    assert all(output == {"Value": {"Ref": name}} for name, output in body["Outputs"].items())


def test_a_queue_takes_the_events_its_component_is_made_of() -> None:
    plan = {"configurator": {"type": ["run-planned.v1"]}}
    history = {"data-extractor": {"type": ["history-extracted.v1"]}}
    forecasts = {
        "order-volume": {"type": ["order-volume-forecasted.v1"]},
        "recipe-popularity": {"type": ["recipe-popularity-forecasted.v1"]},
    }
    networks = {"network-configuration": {"type": ["factory-network-configured.v1"]}}
    chosen = {"versions": ["order-simulator=v1"]}
    policies = {c.name: template.filter_policies(c, c.versions[0], (ORDERS,)) for c in ORDERS.components}
    assert policies == {
        "configurator": {},
        "data-extractor": plan,
        "order-volume": {
            giver: {**types, "versions": ["order-volume=direct"]} for giver, types in (plan | history).items()
        },
        "recipe-popularity": plan | history,
        "network-configuration": plan | forecasts,
        "order-simulator": {giver: {**types, **chosen} for giver, types in (plan | forecasts | networks).items()},
        "site-forecast": plan | {"order-simulator": {"type": ["orders-simulated.v1"]}},
        "publisher": plan | history | networks | {"site-forecast": {"type": ["site-forecasted.v1"]}},
    }


def test_each_version_takes_the_events_of_runs_that_chose_it() -> None:
    simulator = component_named("order-simulator")
    first, second = (template.filter_policies(simulator, version, PIPELINES) for version in ("v1", "v2"))
    assert first.keys() == second.keys() == {node.component for node in needed(simulator.name)}
    for giver in first:
        assert first[giver].pop("versions") == ["order-simulator=v1"]
        assert second[giver].pop("versions") == ["order-simulator=v2"]
    assert first == second


def needed(component: str) -> list[Node]:
    graph = ORDER_SIMULATION.graph
    return [graph.node(need.component) for need in graph.node(component).needs]


def test_a_component_of_two_pipelines_takes_the_events_of_both() -> None:
    day_host = HOST.model_copy(update={"name": "day-host"})
    other = Pipeline(name="lunch", flow=Sequence((day_host, HERBS)))
    booked = {"type": ["booked.v1"]}
    taken = {"host": booked, "day-host": booked}
    assert template.filter_policies(HERBS, "v1", (pipeline(HOST, HERBS), other)) == taken
    assert template.filter_policies(HERBS, "v1", (ORDER_SIMULATION,)) == {}


def test_an_event_of_one_pipeline_does_not_go_to_queues_that_take_it_in_another_only() -> None:
    """SNS filters on the attributes that a worker publishes an event with (services/runtime/outgoing.py)."""
    dinner = Pipeline(name="dinner", flow=Sequence((HOST, HERBS, Map((LAYER,), over="plan.tables"))))
    lunch = Pipeline(name="lunch", flow=Sequence((HOST, HERBS)))
    both, booked = (dinner, lunch), {"type": ["booked.v1"]}
    assert template.filter_policies(HERBS, "v1", both) == {"host": booked}
    assert template.filter_policies(LAYER, "v1", both) == {"host": {**booked, "pipeline": ["dinner"]}}
    assert template.filter_policies(LAYER, "v1", (dinner,)) == {"host": booked}
    flagged = LAYER.model_copy(update={"versions": ("v1", "v2")})
    alike = replace(dinner, flow=Sequence((HOST, HERBS, Map((flagged,), over="plan.tables"))))
    policy = template.filter_policies(flagged, "v2", (alike, lunch))["host"]
    assert policy == {**booked, "versions": ["layer=v2"], "pipeline": ["dinner"]}


def test_each_queue_gets_what_its_steps_need_in_each_pipeline_and_nothing_else() -> None:
    """Of every event in every pipeline that there is, by the rules of SNS."""
    for built in PIPELINES:
        for node in built.graph.nodes:
            versions = [f"{each.name}={each.versions[0]}" for each in all_components() if each.flagged]
            told = {"type": [node.event], "pipeline": [built.name], "versions": versions}
            getting = {c.name for c, version in WORKERS if version == c.versions[0] and takes(c, node.component, told)}
            assert getting == {taker.component for taker in built.graph.consumers(node.component)}


def takes(component: Component, giver: str, told: dict[str, list[str]]) -> bool:
    policy = template.filter_policies(component, component.versions[0], PIPELINES).get(giver)
    return policy is not None and all(set(wanted) & set(told.get(name, ())) for name, wanted in policy.items())


def test_a_component_publishes_to_a_topic_of_its_own() -> None:
    """So that a policy can keep it from giving another one's answers: IAM knows no types of messages."""
    topics = resources("AWS::SNS::Topic")
    assert set(topics) == {template.topic_placeholder(component.name) for component in all_components()}
    for name, subscription in resources("AWS::SNS::Subscription").items():
        giver = subscription["TopicArn"]["Ref"]
        assert name == template.subscription_placeholder(
            subscription["Endpoint"]["Fn::GetAtt"][0], giver_named(giver).name
        )
        assert subscription["FilterPolicy"]["type"] == [giver_named(giver).output.wire_type()]


def giver_named(topic: str) -> Component:
    (found,) = [c for c in all_components() if template.topic_placeholder(c.name) == topic]
    return found


def test_subscriptions_deliver_the_envelope_itself() -> None:
    subscriptions = resources("AWS::SNS::Subscription")
    taken = [giver for c, v in WORKERS for giver in template.filter_policies(c, v, PIPELINES)]
    subscribed = {subscription["Endpoint"]["Fn::GetAtt"][0] for subscription in subscriptions.values()}
    assert len(subscriptions) == len(taken) > len(subscribed) == len(WORKERS) - 1
    for subscription in subscriptions.values():
        assert subscription["RawMessageDelivery"] is True
        assert subscription["FilterPolicy"]["type"]


def test_a_state_machine_may_send_to_its_own_queues_only() -> None:
    for built in PIPELINES:
        role = resources("AWS::IAM::Role")[f"{template.state_machine_name(built.name)}Role"]
        (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
        queues = {asl.queue_placeholder(each.name, version) for each in built.components for version in each.versions}
        assert {resource["Fn::GetAtt"][0] for resource in statement["Resource"]} == queues
        assert statement["Action"] == "sqs:SendMessage"


def test_every_placeholder_of_a_definition_is_filled_in() -> None:
    for machine in resources("AWS::StepFunctions::StateMachine").values():
        filled = machine["DefinitionString"]
        for queue in machine["DefinitionSubstitutions"]:
            assert "${" + queue + "}" in filled
            filled = filled.replace("${" + queue + "}", "")
        assert "${" not in filled


def test_a_policy_reaches_queue_and_state_machine() -> None:
    changed = HERBS.model_copy(update={"policy": Policy(timeout=77, heartbeat=30, lease=7)})
    pipelines = (pipeline(HOST, changed),)
    assert resources("AWS::SQS::Queue", pipelines)["QueueHerbsV1"]["VisibilityTimeout"] == 7
    (machine,) = resources("AWS::StepFunctions::StateMachine", pipelines).values()
    assert json.loads(machine["DefinitionString"])["States"]["herbs"]["TimeoutSeconds"] == 107
