"""The example for users' CI names what there is."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.render import CHECKOUT
from tests.infra.templates import Template

EXAMPLES = CHECKOUT / "examples" / "ci"
SCRIPT = EXAMPLES / "deploy.sh"

AWS = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
  *describe-stacks*Subnets*) echo subnet-a,subnet-b ;;
  *describe-stacks*SecurityGroup*) echo sg-1 ;;
  *run-task*) echo arn:task ;;
  *describe-tasks*) echo "$CODE" ;;
esac
"""
"""Stands for the AWS CLI: notes what it is asked, and answers as far as the script reads answers."""


def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text(encoding="utf-8"))
    return found


def commands() -> list[str]:
    return [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]


def test_the_workflow_lints_tests_builds_synthesises_and_checks() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = {word for command in commands() for word in re.findall(r"make ([a-z-]+)", command)}
    assert made == {"test", "infra"} <= targets
    assert "docker compose build" in commands()
    recipe = (CHECKOUT / "Makefile").read_text(encoding="utf-8").partition("\ninfra:")[2].partition("\n\n")[0]
    for tool in ("mypy", "python -m infra", "cfn-lint", "pytest tests/infra"):
        assert tool in recipe


def test_a_job_may_do_no_more_than_it_must() -> None:
    jobs = workflow()["jobs"]
    assert workflow()["permissions"] == {"contents": "read"}
    assert {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token")} == {"images", "deploy"}
    assert jobs["deploy"]["environment"] == "production"
    assert jobs["images"]["if"] == "github.ref == 'refs/heads/main'"
    assert jobs["images"]["needs"] == ["test", "infra"]
    assert jobs["deploy"]["needs"] == "images"


def typed(tmp_path: Path, *arguments: str, code: str = "0") -> tuple[int, list[str]]:
    """The script's exit code, and what it asked the AWS CLI."""
    cli, calls = tmp_path / "aws", tmp_path / "calls"
    cli.write_text(AWS, encoding="utf-8")
    cli.chmod(0o755)
    calls.touch()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "CODE": code}
    done = subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, calls.read_text(encoding="utf-8").splitlines()


def test_the_steps_of_the_workflow_deploy_every_stack_once(tmp_path: Path, stacks: dict[str, Template]) -> None:
    steps = [command.split()[1] for command in commands() if command.startswith("examples/ci/deploy.sh")]
    deployed = []
    for step in steps:
        code, calls = typed(tmp_path, step, "bucket")
        assert code == 0
        deployed += [call for call in calls if "cloudformation deploy" in call and call not in deployed]
    assert [re.search(r"cdk.out/(\w+)\.template", call)[1] for call in deployed] == list(stacks)  # type: ignore[index]
    names = [re.search(r"--stack-name (\S+)", call)[1] for call in deployed]  # type: ignore[index]
    assert names == ["brigade-images", "brigade", "brigade-compute"]


@pytest.mark.parametrize(("exit_code", "expected"), [("0", 0), ("1", 1), ("None", 1)])
def test_routing_fails_when_its_task_does(tmp_path: Path, exit_code: str, expected: int) -> None:
    code, calls = typed(tmp_path, "routing", code=exit_code)
    assert code == expected
    (started,) = [call for call in calls if "run-task" in call]
    assert "--task-definition brigade-deploy" in started
    assert "awsvpcConfiguration={subnets=[subnet-a,subnet-b],securityGroups=[sg-1]}" in started


@pytest.mark.parametrize("arguments", [(), ("images",), ("everything", "bucket")])
def test_asked_wrongly_it_does_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, calls = typed(tmp_path, *arguments)
    assert code != 0
    assert calls == []
