"""What may be chosen, and what becomes of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.__main__ import main
from infra.settings import Settings, read_settings
from tests.infra.conftest import synthesised
from tests.infra.templates import Template

NAMES = {
    "AlarmName",
    "BucketName",
    "ClusterName",
    "DBInstanceIdentifier",
    "DashboardName",
    "Family",
    "LogGroupName",
    "QueueName",
    "RepositoryName",
    "ServiceName",
    "StateMachineName",
    "TopicName",
}


def test_options_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIGADE_INFRA_PREFIX", "kitchen")
    found = read_settings(
        ["--tag", "a1", "--arm64", "true", "--vpc-id", "vpc-1", "--subnet-ids", '["subnet-a","subnet-b"]']
    )
    assert (found.prefix, found.tag, found.arm64, found.subnet_ids) == ("kitchen", "a1", True, ("subnet-a", "subnet-b"))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"vpc_id": "vpc-1"}, "a VPC and its subnets are given together"),
        ({"subnet_ids": ("a", "b")}, "a VPC and its subnets are given together"),
        ({"vpc_id": "vpc-1", "subnet_ids": ("a",)}, "one subnet is one availability zone"),
        ({"prefix": "No Prefix"}, "pattern"),
        ({"tag": "with space"}, "pattern"),
        ({"log_days": 31}, "log_days"),
    ],
)
def test_a_choice_that_cannot_be(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Settings(_cli_parse_args=False, **{"tag": "t1", **settings})


def test_asked_wrongly_it_ends_with_2_and_says_how_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tag", "t1", "--vpc-id", "vpc-1"]) == 2
    assert "set both --vpc-id and --subnet-ids, or neither" in capsys.readouterr().err
    assert main([]) == 2
    assert "tag: Field required" in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "Example: python -m infra" in capsys.readouterr().out


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Everything that can be given is, and every option is another than by default."""
    return synthesised(
        tmp_path_factory.mktemp("given"),
        prefix="kitchen",
        arm64=True,
        style="choreographed",
        vpc_id="vpc-1",
        subnet_ids=("subnet-a", "subnet-b"),
        database_secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
        alarm_email="cook@example.org",
        deploy_tag="t2",
        stopped=True,
        log_days=7,
        file_days=14,
    )


def test_a_vpc_and_a_database_that_are_there_are_used(given: dict[str, Template]) -> None:
    compute = given["Compute"]
    assert compute.of("AWS::EC2::VPC") == compute.of("AWS::EC2::NatGateway") == compute.of("AWS::RDS::DBInstance") == {}
    for service in compute.of("AWS::ECS::Service").values():
        assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] == ["subnet-a", "subnet-b"]
    for definition in compute.of("AWS::ECS::TaskDefinition").values():
        (container,) = definition["ContainerDefinitions"]
        (url,) = [each["ValueFrom"] for each in container["Secrets"] if each["Name"] == "DATABASE_URL"]
        assert url.endswith(":secret:db-AbCdEf")
        assert "PGHOST" not in {each["Name"] for each in container["Environment"]}


def test_other_options_reach_their_resources(given: dict[str, Template]) -> None:
    compute, messaging = given["Compute"], given["Messaging"]
    definitions = compute.of("AWS::ECS::TaskDefinition").values()
    assert {each["RuntimePlatform"]["CpuArchitecture"] for each in definitions} == {"ARM64"}
    assert {group["RetentionInDays"] for group in compute.of("AWS::Logs::LogGroup").values()} == {7}
    (rule,) = messaging.of("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 14
    (subscription,) = compute.of("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "cook@example.org")
    (schedule,) = compute.of("AWS::Scheduler::Schedule").values()
    assert '"--style", "choreographed"' in schedule["Target"]["Input"]


def test_before_there_are_tables_nothing_runs_but_what_makes_them(given: dict[str, Template]) -> None:
    compute = given["Compute"]
    assert {service["DesiredCount"] for service in compute.of("AWS::ECS::Service").values()} == {0}
    assert compute.of("AWS::ApplicationAutoScaling::ScalableTarget") == {}
    images = {
        definition["Family"]: compute.plain(definition["ContainerDefinitions"][0]["Image"]).rpartition(":")[2]
        for definition in compute.of("AWS::ECS::TaskDefinition").values()
    }
    assert images.pop("kitchen-deploy") == "t2"
    assert set(images.values()) == {"t1"}


def test_two_deployments_share_an_account(given: dict[str, Template], stacks: dict[str, Template]) -> None:
    """No name is in both."""

    def names(found: dict[str, Template]) -> set[str]:
        return {
            str(template.plain(value))
            for template in found.values()
            for resource in template.resources.values()
            for key, value in resource.get("Properties", {}).items()
            if key in NAMES and not template.plain(value).startswith("<")
        }

    assert len(names(stacks)) > 40
    assert len(names(given)) > 40
    assert names(given) & names(stacks) == set()


def test_templates_are_where_they_were_asked_for(stacks: dict[str, Template]) -> None:
    assert [stack.path.name for stack in stacks.values()] == [
        "Images.template.json",
        "Messaging.template.json",
        "Compute.template.json",
    ]
    assert all(isinstance(stack.path, Path) and stack.path.exists() for stack in stacks.values())
