"""Starting a run, in either style, from the same request."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from botocore.exceptions import BotoCoreError, ClientError

from contracts.component import Component
from contracts.envelope import StepKey, Style, seal
from contracts.errors import BadRequest, TransientError
from contracts.pipeline import Pipeline
from contracts.pipelines import PIPELINES, all_components, nested_pipelines
from contracts.redaction import redacted, secrets_of
from contracts.resolve import assemble, first_step
from contracts.run import SCHEDULED, RunRequest, pin_versions
from orchestrator.aws import Aws
from orchestrator.database import Connection, NotDeployed
from orchestrator.deploy import Deployment, published_version

STYLES = ("orchestrated", "choreographed")
"""Those that runs are asked for in. The scheduled one is measured beside them: `orchestrator/clocks.py`."""


@dataclass(frozen=True)
class Started:
    run_id: str
    execution: str | None


def start_run(
    aws: Aws,
    connection: Connection,
    deployment: Deployment,
    pipeline: Pipeline,
    style: str,
    day: date,
    flags: dict[str, str],
    seed: int = 1,
    also: Callable[[str], None] = lambda run_id: None,
    pipelines: tuple[Pipeline, ...] = PIPELINES,
) -> Started:
    """Write the run and its first step, then send the one message that sets it going.

    `also` is called with the run's id in the transaction that writes it. Nested runs are of one of the `pipelines`.

    Raises BadRequest for an unknown style or flag, NotDeployed when the pipeline is not, or a version that was chosen: nothing
    is written then. TransientError when the message cannot be sent, and the run is FAILED then.
    """
    versions = check_asked(pipeline, style, flags, pipelines)
    run_id = new_run_id(day, style)
    request = RunRequest(run_id=run_id, pipeline=pipeline.name, date=day, seed=seed, versions=versions)
    machine, name = deployment.state_machine_arn(pipeline.name), f"{run_id}-1"
    version = published_version(connection, machine, pipeline.graph.digest)
    if version is None:
        raise NotDeployed(f"pipeline {pipeline.name} is not deployed as it is now: run `brigade deploy` first")
    for component, chosen in chosen_versions(pipeline, flags, pipelines):
        deployment.queue_url(component, chosen)
    started = Started(run_id, execution_arn(machine, name) if style == "orchestrated" else None)
    trace = new_trace()
    with one_at_a_time(connection, run_id):
        with connection.transaction():
            insert_run(connection, pipeline, request, style, started.execution, trace)
            also(run_id)
        with sending(connection, run_id):
            if started.execution:
                start_execution(aws, version, name, request, trace)
            else:
                send_first_command(aws, deployment, pipeline, request, trace)
    return started


def chosen_versions(
    pipeline: Pipeline, flags: dict[str, str], pipelines: tuple[Pipeline, ...] = PIPELINES
) -> list[tuple[Component, str]]:
    """Of each component the version that a run with these flags uses, in the runs that it has of other pipelines too."""
    components = all_components((pipeline, *nested_pipelines(pipeline, flags, pipelines)))
    return [(component, flags.get(component.name, component.versions[0])) for component in components]


def new_run_id(day: date, style: str) -> str:
    return f"{day.isoformat()}-{style}-{secrets.token_hex(3)}"


def new_trace() -> str:
    """A traceparent of W3C Trace Context."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def check_asked(
    pipeline: Pipeline, style: str, flags: dict[str, str], pipelines: tuple[Pipeline, ...] = PIPELINES
) -> tuple[str, ...]:
    """The versions a run would pin. Raises BadRequest for an unknown style or flag."""
    if style == SCHEDULED:
        raise BadRequest(
            "scheduled is the system of before, to be measured: `brigade compare` does, nothing else runs it"
        )
    if style not in STYLES:
        raise BadRequest(f"unknown style '{style}': choose {' or '.join(STYLES)}")
    components = all_components((pipeline, *nested_pipelines(pipeline, flags, pipelines)))
    return pin_versions({component.name: component.versions for component in components}, flags)


@contextmanager
def one_at_a_time(connection: Connection, run_id: str) -> Iterator[None]:
    """Whoever sets this run going does so alone: another one waits, and then finds it started."""
    parameters = (f"brigade run {run_id}",)
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", parameters)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", parameters)


@contextmanager
def sending(connection: Connection, run_id: str, again: str = "start it again") -> Iterator[None]:
    """What sets a run going cannot be in the transaction that wrote it: when it fails, the run is FAILED.

    Raises TransientError then. Only the answer may have been lost, of a message that came: what has ended meanwhile stays so.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        cause = redacted(f"the run could not be started: {error}", secrets_of(os.environ))
        failing = (
            "UPDATE runs SET status = 'FAILED', cause = %s, ended_at = now() WHERE run_id = %s AND status = 'RUNNING'"
        )
        if connection.execute(failing, (cause, run_id)).rowcount:
            raise TransientError(f"{cause}; check the endpoint, then {again}") from error


def execution_arn(machine: str, name: str) -> str:
    """Known before the execution is started, so that the run's row can hold it."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def start_execution(aws: Aws, version: str, name: str, request: RunRequest, trace: str | None) -> None:
    """Of a published version of the state machine: the one a run is pinned to."""
    data = {"run_id": request.run_id, "request": request.model_dump(mode="json"), "traceparent": trace}
    aws.stepfunctions.start_execution(stateMachineArn=version, name=name, input=json.dumps(data))


def insert_run(
    connection: Connection, pipeline: Pipeline, request: RunRequest, style: str, execution: str | None, trace: str
) -> None:
    """Write a run, and its first step: the planner's."""
    graph = pipeline.graph
    step = first_step(graph, request)
    connection.execute(
        """
        INSERT INTO runs (run_id, pipeline, style, date, request, graph, execution, traceparent, deadline)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now() + make_interval(secs => %s))
        """,
        (
            request.run_id,
            pipeline.name,
            style,
            request.date,
            request.model_dump_json(),
            graph.digest,
            execution,
            trace,
            graph.deadline,
        ),
    )
    connection.execute(
        """
        INSERT INTO steps (run_id, component, item, version, position, state, ready_at)
        VALUES (%s, %s, %s, %s, 0, 'ready', now())
        """,
        (request.run_id, step.component, step.item, step.version),
    )


def send_first_command(
    aws: Aws,
    deployment: Deployment,
    pipeline: Pipeline,
    request: RunRequest,
    trace: str,
    style: Style | None = None,
) -> None:
    """The planner's, to its queue: with a style of its own, nothing follows from its answer."""
    graph, step = pipeline.graph, first_step(pipeline.graph, request)
    key = StepKey(run_id=request.run_id, component=step.component, item=step.item)
    data = assemble(graph, graph.planner, step.item, request, {})
    body = seal(key, graph.planner.command, "start", data, datetime.now(UTC), trace, style)
    url = deployment.queue_url(pipeline.components[0], step.version)
    aws.sqs.send_message(QueueUrl=url, MessageBody=body)
