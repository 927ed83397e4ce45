"""Redrive: the same run again, in the same or the other style. What is done repeats its answer, the rest is run.

A redrive raises the run's generation, so attempts are counted anew. Orchestrated, a new execution sends every step's command
and done steps answer at once. Choreographed, the steps that could run now get their commands, and events do the rest.
"""

import json
from datetime import UTC, datetime

from contracts.envelope import StepKey, seal
from contracts.errors import BadRequest
from contracts.graph import WHOLE, Graph
from contracts.pipelines import component_named, pipeline_named
from contracts.resolve import assemble
from contracts.run import RunRequest
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.start import STYLES, Started, execution_arn, sending, start_execution

_LOCK = "SELECT status, style, request, graph, traceparent, generation FROM runs WHERE run_id = %(run_id)s FOR UPDATE"

_REOPEN = """
UPDATE runs SET status = 'RUNNING', cause = NULL, ended_at = NULL, checked_at = NULL, generation = generation + 1,
       style = %(style)s, execution = %(execution)s, deadline = now() + make_interval(secs => %(deadline)s)
WHERE run_id = %(run_id)s
"""

# A claim whose lease is alive is left to its owner; its answer counts.
_RESET = """
UPDATE steps SET state = 'waiting', error = NULL, ended_at = NULL, ready_by = NULL, token = NULL
WHERE run_id = %(run_id)s AND (state IN ('ready', 'failed') OR (state = 'claimed' AND lease_until < now()))
"""

_RUNNABLE = """
UPDATE steps s SET state = 'ready', ready_at = now()
WHERE s.run_id = %(run_id)s AND s.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM unnest(s.needs) AS need
    LEFT JOIN steps needed ON needed.run_id = s.run_id AND needed.component || '/' || needed.item = need
    WHERE needed.state IS NULL OR needed.state NOT IN ('done', 'reused')
)
RETURNING s.component, s.item, s.version
"""

# Runs under way, and runs that failed although no step of theirs did: an execution was lost, a deadline passed.
_UNFINISHED = """
SELECT r.run_id FROM runs r
WHERE r.status = 'RUNNING' OR (r.status = 'FAILED' AND NOT EXISTS (
    SELECT 1 FROM steps s WHERE s.run_id = r.run_id AND s.state = 'failed'
))
ORDER BY r.started_at
"""


def unfinished_runs(connection: Connection) -> list[str]:
    return [row["run_id"] for row in fetch_all(connection, _UNFINISHED)]


def redrive_run(
    aws: Aws, connection: Connection, deployment: Deployment, run_id: str, style: str | None = None
) -> Started:
    """Set a run going again. Raises BadRequest when there is no such run, or it has succeeded."""
    if style is not None and style not in STYLES:
        raise BadRequest(f"unknown style '{style}': choose {' or '.join(STYLES)}")
    with connection.transaction():
        rows = fetch_all(connection, _LOCK, {"run_id": run_id})
        if not rows:
            raise BadRequest(f"there is no run '{run_id}': `brigade runs` lists them")
        run = rows[0]
        if run["status"] == "SUCCEEDED":
            raise BadRequest(f"run {run_id} has succeeded: start a new one with `brigade run`")
        chosen = style or run["style"]
        request = RunRequest.model_validate_json(run["request"])
        graph = _graph(connection, run["graph"])
        name = f"{run_id}-{run['generation'] + 1}"
        machine = deployment.state_machine_arn(pipeline_named(request.pipeline))
        started = Started(run_id, execution_arn(machine, name) if chosen == "orchestrated" else None)
        parameters = {
            "run_id": run_id,
            "style": chosen,
            "execution": started.execution,
            "deadline": graph.deadline,
        }
        connection.execute(_REOPEN, parameters)
        connection.execute(_RESET, parameters)
        runnable = [] if started.execution else connection.execute(_RUNNABLE, parameters).fetchall()
    with sending(connection, run_id):
        if started.execution:
            start_execution(aws, machine, name, request, run["traceparent"])
        for row in runnable:
            key = StepKey(run_id=run_id, component=row["component"], item=row["item"])
            url = deployment.queue_url(component_named(key.component), row["version"])
            body = _command(connection, graph, request, key, run["traceparent"])
            aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    return started


def _graph(connection: Connection, digest: str) -> Graph:
    rows = fetch_all(connection, "SELECT body FROM graphs WHERE digest = %(digest)s", {"digest": digest})
    return Graph.model_validate_json(rows[0]["body"])


def _command(connection: Connection, graph: Graph, request: RunRequest, key: StepKey, trace: str | None) -> str:
    query = """
        SELECT n.component || '/' || n.item AS step, n.answer
        FROM steps s JOIN steps n ON n.run_id = s.run_id
        WHERE s.run_id = %(run_id)s AND s.component = %(component)s AND s.item = %(item)s AND n.answer IS NOT NULL
          AND (n.component || '/' || n.item = ANY (s.needs) OR n.component || '/' || n.item = %(plan)s)
    """
    parameters = {**key.model_dump(), "plan": f"{graph.planner.component}/{WHOLE}"}
    rows = fetch_all(connection, query, parameters)
    node = graph.planner if key.component == graph.planner.component else graph.node(key.component)
    data = assemble(graph, node, key.item, request, {row["step"]: json.loads(row["answer"]) for row in rows})
    return seal(key, node.command, "redrive", data, datetime.now(UTC), trace)
