"""The messaging stack: what `brigade deploy` renders, and what production adds."""

from typing import Any

from contracts.pipelines import PIPELINES
from orchestrator import template
from orchestrator.deploy import MADE_BY
from tests.infra.policies import Request, allowed
from tests.infra.templates import ACCOUNT, Template

Json = dict[str, Any]

RENDERED = template.render(PIPELINES)


def test_it_holds_all_that_deploy_renders(messaging: Template) -> None:
    """With the same names, so that every command finds it; nothing that was there is taken away."""

    def kept(value: Any, within: Any) -> bool:
        if isinstance(value, dict):
            return isinstance(within, dict) and all(
                key in within and kept(each, within[key]) for key, each in value.items()
            )
        if isinstance(value, list):
            return isinstance(within, list) and all(any(kept(each, one) for one in within) for each in value)
        return bool(value == within)

    for name, resource in RENDERED["Resources"].items():
        assert kept(resource, messaging.resources[name]), name
    assert messaging.body["Outputs"].items() >= RENDERED["Outputs"].items()
    assert messaging.body["Parameters"] == RENDERED["Parameters"]


def test_it_says_who_made_it(messaging: Template) -> None:
    assert messaging.body["Outputs"][MADE_BY]["Value"] == "infra"


def resource_policy(messaging: Template, kind: str, holder: str) -> list[Json]:
    """The statements of the policy that a queue, topic or bucket has."""
    for properties in messaging.of(kind).values():
        holders = properties.get("Queues") or properties.get("Topics") or [properties.get("Bucket")]
        if {"Ref": holder} in holders:
            statements: list[Json] = messaging.plain(properties["PolicyDocument"]["Statement"])
            return statements
    raise AssertionError(f"{holder} has no policy")


def test_what_is_not_encrypted_on_the_way_is_refused(messaging: Template) -> None:
    everyone = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    places = [
        *((name, "AWS::SQS::QueuePolicy", "sqs:SendMessage") for name in messaging.of("AWS::SQS::Queue")),
        *((name, "AWS::SNS::TopicPolicy", "sns:Publish") for name in messaging.of("AWS::SNS::Topic")),
        ("Bucket", "AWS::S3::BucketPolicy", "s3:GetObject"),
    ]
    assert len(places) > 20
    for name, kind, action in places:
        statements = [everyone, *resource_policy(messaging, kind, name)]
        resource = messaging.plain({"Fn::GetAtt": [name, "Arn"]}) + ("/x/y" if name == "Bucket" else "")
        for secure, expected in (("true", True), ("false", False)):
            assert allowed(statements, Request(action, resource, (("aws:SecureTransport", secure),))) is expected, name


def test_topics_may_send_to_the_queues_and_others_may_not(messaging: Template) -> None:
    for name in messaging.of("AWS::SQS::Queue"):
        statements = resource_policy(messaging, "AWS::SQS::QueuePolicy", name)
        resource = messaging.plain({"Fn::GetAtt": [name, "Arn"]})
        for topic in messaging.of("AWS::SNS::Topic"):
            ours = messaging.plain({"Ref": topic})
            request = Request("sqs:SendMessage", resource, (("aws:SourceArn", ours),))
            assert allowed(statements, request) is not name.endswith("DeadLetters")
        foreign = (("aws:SourceArn", "arn:aws:sns:eu-west-1:666666666666:brigade-publisher-events"),)
        assert not allowed(statements, Request("sqs:SendMessage", resource, foreign))


def test_what_is_stored_is_encrypted_and_not_public(messaging: Template) -> None:
    assert all(queue["SqsManagedSseEnabled"] for queue in messaging.of("AWS::SQS::Queue").values())
    assert all(topic["KmsMasterKeyId"] for topic in messaging.of("AWS::SNS::Topic").values())
    (bucket,) = messaging.of("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_files_are_forgotten_and_the_bucket_outlives_its_stack(messaging: Template) -> None:
    (rule,) = messaging.of("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["Status"]) == (90, "Enabled")
    assert messaging.resources["Bucket"]["DeletionPolicy"] == "Retain"


def test_state_machines_are_logged_and_traced_without_task_tokens(messaging: Template) -> None:
    for machine in messaging.of("AWS::StepFunctions::StateMachine").values():
        assert machine["TracingConfiguration"] == {"Enabled": True}
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    groups = messaging.of("AWS::Logs::LogGroup").values()
    assert [(group["LogGroupName"], group["RetentionInDays"]) for group in groups] == [
        (f"/aws/vendedlogs/states/brigade-{pipeline.name}", 30) for pipeline in PIPELINES
    ]


def test_a_version_outlives_the_next_and_live_is_the_last(messaging: Template) -> None:
    """Runs under way, and redrives, go on with the version that they started with."""
    for pipeline in PIPELINES:
        name = template.state_machine_name(pipeline.name)
        version = messaging.resources[f"{name}Version"]
        assert version["UpdateReplacePolicy"] == version["DeletionPolicy"] == "Retain"
        revision = {"Fn::GetAtt": [name, "StateMachineRevisionId"]}
        assert version["Properties"] == {"StateMachineArn": {"Ref": name}, "StateMachineRevisionId": revision}
        alias = messaging.of("AWS::StepFunctions::StateMachineAlias")[f"{name}Alias"]
        (target,) = alias["RoutingConfiguration"]
        assert (alias["Name"], target["Weight"]) == ("live", 100)
        assert target["StateMachineVersionArn"] == {"Ref": f"{name}Version"}


def test_others_find_things_by_parameters(messaging: Template) -> None:
    found = {each["Name"]: messaging.plain(each["Value"]) for each in messaging.of("AWS::SSM::Parameter").values()}
    assert found["/brigade/bucket"] == f"brigade-{ACCOUNT}"
    assert found["/brigade/state-machines/order-simulation"] == "<StateMachineOrderSimulationAlias>"
    assert found["/brigade/topics/publisher"].endswith(":brigade-publisher-events")
