"""graph and render: what follows from the pipelines."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from contracts.pipelines import PIPELINES, pipeline_named
from orchestrator import asl
from orchestrator import render as rendering
from orchestrator.cli.session import print_json, say
from orchestrator.compatibility import schemas
from orchestrator.diagram import mermaid

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class Format(StrEnum):
    MERMAID = "mermaid"
    ASL = "asl"


def graph(
    pipeline: Annotated[str, typer.Argument(help="For example order-simulation.")],
    form: Annotated[Format, typer.Option("--format", help="A diagram, or the state machine.")] = Format.MERMAID,
    as_json: Json = False,
) -> None:
    """Print a pipeline as a diagram, as its state machine, or (--json) as the routing that workers read.

    Example: brigade graph order-simulation --format asl
    """
    chosen = pipeline_named(pipeline)
    if as_json:
        print_json({"digest": chosen.graph.digest, **chosen.graph.model_dump(mode="json")})
    elif form is Format.ASL:
        print(json.dumps(asl.render(chosen), indent=2))  # noqa: T201 - plain, to be piped
    else:
        print(mermaid(chosen), end="")  # noqa: T201 - plain, to be piped


def render(as_json: Json = False) -> None:
    """Write the committed state machines, template, diagrams, policies, schemas, asyncapi.yaml, catalogue and the workers in
    docker-compose.yml again.

    Example: brigade render
    """
    changed = [
        *rendering.write(PIPELINES),
        *schemas.write(PIPELINES),
        *rendering.write_for_squads(PIPELINES),
        *rendering.write_for_containers(PIPELINES),
    ]
    if as_json:
        print_json({"changed": [str(path) for path in changed]})
    else:
        say(f"wrote {', '.join(path.name for path in changed)}" if changed else "everything is as it should be")


COMMANDS = (graph, render)
