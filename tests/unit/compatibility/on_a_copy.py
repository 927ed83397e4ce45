"""Runs in a copy of the code, whatever its messages are: `python -m tests.unit.compatibility.on_a_copy < commands`.

Each line of the input is a command line. Prints, as JSON, what each said and its exit code, and what the components make
of one another's answers: the SHA-256 of every week's site forecast.
"""

import asyncio
import contextlib
import io
import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from contracts.graph import WHOLE
from contracts.pipelines import ORDER_SIMULATION
from contracts.resolve import assemble, resolve
from contracts.run import RunRequest
from orchestrator.cli.app import app
from services.runtime.attempt import cook
from services.runtime.handlers import Kitchen, find_handler
from services.runtime.telemetry import Metrics
from services.runtime.testing import local_context
from tests.support.plans import Order, extracted, plan_of

ORDERS: list[Order] = [(back, region, "pie", 900.0 + back % 7) for back in range(40) for region in ("east", "west")]


def told(line: str) -> dict[str, Any]:
    program, *arguments = shlex.split(line)
    assert program == "brigade", f"the example runs nothing but brigade, not {program}"
    result = CliRunner().invoke(app, arguments)
    return {"code": result.exit_code, "said": "\n".join(text.rstrip() for text in result.output.rstrip().splitlines())}


async def forecast(folder: Path) -> dict[str, str]:
    """Every component after the extraction, each fed with what the graph says of the answers before it."""
    graph, ctx = ORDER_SIMULATION.graph, local_context(folder, "test")
    plan = plan_of(ctx, recipes=("pie",), ahead=(2,))
    (history,) = extracted(ctx, ORDERS)
    parsed = plan.model_dump(mode="json")
    answers = {f"{graph.planner.component}/{WHOLE}": parsed, "data-extractor/b1": history.model_dump(mode="json")}
    request = RunRequest(run_id="run", pipeline=graph.pipeline, date=plan.date)
    for step in resolve(graph, request, parsed):
        if step.key in answers or step.component == "publisher":
            continue
        component = next(c for c in ORDER_SIMULATION.components if c.name == step.component)
        node, metrics = graph.node(step.component), Metrics(step.component, step.version)
        kitchen = Kitchen(find_handler(component, step.version), 1)
        data = assemble(graph, node, step.item, request, answers)
        context = local_context(folder, step.component, step.item)
        _, answers[step.key] = await cook(component, kitchen, data, context, metrics, node.event)
        kitchen.close()
    return {key: answer["forecast"]["sha256"] for key, answer in answers.items() if key.startswith("site-forecast/")}


if __name__ == "__main__":
    sayings = [told(line) for line in sys.stdin.read().splitlines()]
    with tempfile.TemporaryDirectory() as temporary, contextlib.redirect_stdout(io.StringIO()):  # metrics
        made = asyncio.run(forecast(Path(temporary)))
    print(json.dumps({"told": sayings, "made": made}))  # noqa: T201 - this is what it is for
