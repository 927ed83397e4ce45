"""Every command says what it does, with an example that is right, and can answer in JSON."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import psycopg
import pytest
import typer.main
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from contracts.errors import BadData, BadRequest, PipelineError
from contracts.graph import Graph
from contracts.pipelines import ORDER_SIMULATION
from orchestrator import asl
from orchestrator.cli.app import app, explain
from orchestrator.diagram import mermaid

Command = Any
"""Typer brings its own click, which has no name to import it by."""

ROOT = typer.main.get_command(app)


def commands(group: object = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Every command, by what is typed for it after `brigade`."""
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())


def test_there_are_the_commands_that_the_documentation_names() -> None:
    expected = {"up", "down", "status", "load", "sample", "deploy", "run", "runs", "history", "logs", "worker", "graph"}
    assert expected | {"render", "redrive", "dlq list", "dlq show", "dlq redrive"} <= COMMANDS.keys()


def test_the_version_is_the_packages() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"brigade {version('brigade')}\n")


def example_of(command: Command) -> list[str]:
    found = re.search(r"Example: (brigade .+?)(\n\n|$)", command.help or "", re.DOTALL)
    assert found, f"{command.name} has no example"
    return shlex.split(found[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example_that_could_be_typed(name: str) -> None:
    """Its options exist; its files need not."""
    command = COMMANDS[name]
    words = example_of(command)[1:]
    depth = len(name.split())
    assert words[:depth] == name.split()
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[depth:] if word.startswith("-")} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_the_example_on_a_line_of_its_own(name: str) -> None:
    """To be copied whole, also from a narrow terminal."""
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "60", "TERMINAL_WIDTH": "60"})
    assert shown.exit_code == 0
    lines = [line.strip() for line in shown.stdout.splitlines()]
    (example,) = [line for line in lines if line.startswith("Example: ")]
    assert shlex.split(example.removeprefix("Example: ")) == example_of(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_can_answer_in_json(name: str) -> None:
    """A worker's lines are JSON by themselves, and services answer by HTTP."""
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert "--json" in options or name in ("worker", "serve", "forecast-api")
    if name == "worker":
        assert "Its log lines are JSON." in COMMANDS[name].help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "option"]
    silent = [option.opts[0] for option in options if not option.help]
    assert silent == []


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (BadRequest("no"), "no", 2),
        (PipelineError("no"), "no", 2),
        (BadData("no"), "no", 1),
        (EndpointConnectionError(endpoint_url="http://x"), "no answer from http://here: .*; check AWS_ENDPOINT_URL", 1),
        (ClientError({"Error": {"Code": "Denied", "Message": "no"}}, "Send"), "AWS refused: .*Denied", 1),
        (psycopg.OperationalError("gone\nfor good"), "the database refused: gone; check DATABASE_URL", 1),
        (KeyError("x"), "KeyError: 'x' .*`brigade --debug`", 1),
    ],
)
def test_errors_become_one_line(error: Exception, message: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://here")
    told, exit_code = explain(error)
    assert re.match(message, told)
    assert exit_code == code
    assert "\n" not in told


def test_an_error_that_says_nothing_is_named() -> None:
    assert explain(psycopg.OperationalError())[0] == "the database refused: OperationalError; check DATABASE_URL"


def test_a_graph_is_printed_as_diagram_state_machine_or_routing() -> None:
    def printed(*options: str) -> str:
        done = CliRunner().invoke(app, ["graph", "order-simulation", *options])
        assert (done.exit_code, done.stderr) == (0, "")
        return done.stdout

    assert printed() == printed("--format", "mermaid") == mermaid(ORDER_SIMULATION)
    assert json.loads(printed("--format", "asl")) == asl.render(ORDER_SIMULATION)
    routing = json.loads(printed("--json"))
    assert routing.pop("digest") == ORDER_SIMULATION.graph.digest
    assert Graph.model_validate(routing) == ORDER_SIMULATION.graph


WITH_A_WRONG_PIPELINE = """
from contracts import pipeline
from contracts.errors import PipelineError

def refuse(built):
    raise PipelineError(f"{built.name} cannot work")

pipeline.Pipeline.__post_init__ = refuse
from orchestrator.cli import main
main()
"""


@pytest.mark.parametrize("debug", [False, True])
def test_a_pipeline_that_cannot_work_is_one_line_of_every_command(debug: bool) -> None:
    """It is found when the commands are imported, before there is anything to handle errors."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    options = ["--debug"] if debug else []
    argv = [sys.executable, "-c", WITH_A_WRONG_PIPELINE, *options, "graph", "order-simulation"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    if debug:
        assert done.returncode == 1
        assert "Traceback" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (2, "error: order-simulation cannot work\n")
