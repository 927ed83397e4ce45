"""The scheduled style: each component on its own clock, started a buffer after the one before should have ended.

As it was before orchestration, to be measured beside the other styles (docs/adr/0012-scheduled-is-a-baseline.md). A clock
tells its component to start, by a message in its queue, and knows nothing of any other: services/runtime/latest.py.
"""

import math
from datetime import UTC, date, datetime
from typing import Any

from contracts.component import Component
from contracts.envelope import TICK, StepKey, seal
from contracts.graph import WHOLE
from contracts.pipeline import Pipeline
from contracts.run import SCHEDULED, RunRequest, pin_versions
from contracts.timetable import timetable
from orchestrator.aws import Aws
from orchestrator.database import Connection
from orchestrator.deploy import Deployment
from orchestrator.start import insert_run, new_run_id, new_trace, one_at_a_time, send_first_command, sending

MINUTE = 60


def schedules(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The clock of each component, in the order of the pipeline: seconds since the first one's, and an expression.

    On whole minutes, as EventBridge Scheduler has them. Raises PipelineError when the pipeline's schedule cannot be followed.
    """
    expected = {c.name: math.ceil(c.expected / MINUTE) * MINUTE for c in pipeline.components}
    starts = timetable(pipeline.graph, expected, math.ceil(pipeline.buffer / MINUTE) * MINUTE)
    return [
        {
            "component": component.name,
            "starts": int(starts[component.name]),
            "expected": expected[component.name],
            "schedule": _expression(pipeline, int(starts[component.name])),
        }
        for component in pipeline.components
    ]


def start_scheduled(
    aws: Aws, connection: Connection, deployment: Deployment, pipeline: Pipeline, day: date, seed: int = 1
) -> RunRequest:
    """The first clock strikes: write the run and its first step, and send the planner's command. Gives the run.

    Raises TransientError when the command cannot be sent, and the run is FAILED then.
    """
    versions = pin_versions({component.name: component.versions for component in pipeline.components}, {})
    run_id, trace = new_run_id(day, SCHEDULED), new_trace()
    request = RunRequest(run_id=run_id, pipeline=pipeline.name, date=day, seed=seed, versions=versions)
    with one_at_a_time(connection, run_id):
        with connection.transaction():
            insert_run(connection, pipeline, request, SCHEDULED, None, trace)
        with sending(connection, run_id):
            send_first_command(aws, deployment, pipeline, request, trace, "scheduled")
    return request


def strike(aws: Aws, deployment: Deployment, component: Component, request: RunRequest) -> None:
    """The clock of any other component strikes, whatever has become of those before it."""
    key = StepKey(run_id=request.run_id, component=component.name, item=WHOLE)
    body = seal(key, TICK, "clock", {}, datetime.now(UTC), style="scheduled")
    version = request.version_of(component.name, component.versions[0])
    aws.sqs.send_message(QueueUrl=deployment.queue_url(component, version), MessageBody=body)


def _expression(pipeline: Pipeline, seconds: int) -> str | None:
    return pipeline.schedule.later(seconds // MINUTE).expression if pipeline.schedule else None
