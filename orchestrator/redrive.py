"""Redrive: the same run again, in the same or the other style. What is done repeats its answer, the rest is run.

A redrive raises the run's generation, so attempts are counted anew. Orchestrated, a new execution of the state machine the
run started with sends every step's command and done steps answer at once. Choreographed, the steps that could run now get
their commands, and events do the rest; a run that is under way stays what it is and only gets them again. What is done is
run again only when its files are gone.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from psycopg.rows import DictRow

from contracts.envelope import StepKey, seal
from contracts.errors import BadRequest
from contracts.graph import WHOLE, Graph
from contracts.message import files_of
from contracts.nesting import nested_run_id
from contracts.resolve import assemble
from contracts.run import SCHEDULED, RunRequest
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment, published_version
from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.start import STYLES, Started, execution_arn, one_at_a_time, sending, start_execution
from orchestrator.stop import STOPPED

_LOCK = """
SELECT status, style, request, graph, traceparent, generation, execution, deadline < now() AS overdue
FROM runs WHERE run_id = %(run_id)s FOR UPDATE
"""

# The execution is started when this is committed: `checked_at` keeps sweeps from missing it until then.
_REOPEN = """
UPDATE runs SET status = 'RUNNING', cause = NULL, ended_at = NULL, checked_at = now(), generation = generation + 1,
       style = %(style)s, execution = %(execution)s, deadline = now() + make_interval(secs => %(deadline)s)
WHERE run_id = %(run_id)s
"""

# A claim whose lease is alive is left to its owner; its answer counts. In a new generation no step has failed yet.
_RESET = """
UPDATE steps SET state = 'waiting', mode = CASE WHEN %(anew)s THEN 'normal' ELSE mode END, error = NULL,
       ended_at = NULL, ready_by = NULL, token = NULL
WHERE run_id = %(run_id)s AND (state IN ('ready', 'failed') OR (state = 'claimed' AND lease_until < now()))
"""

_ANSWERS = "SELECT component || '/' || item AS step, answer FROM steps WHERE run_id = %(run_id)s AND state = 'done'"

_FORGET = """
UPDATE steps SET state = 'waiting', mode = 'normal', answer = NULL, ended_at = NULL, ready_by = NULL, token = NULL
WHERE run_id = %(run_id)s AND component || '/' || item = ANY (%(steps)s)
"""

# A step that is still at work gets a command, too: its own message may ask by the task token of an execution that has ended,
# so that nobody would hear its answer. Its row is only read: whoever commits or fails it locks it before the run's.
_RUNNABLE = """
WITH able AS (
    SELECT s.component, s.item, s.version FROM steps s
    WHERE s.run_id = %(run_id)s AND s.state IN ('waiting', 'claimed') AND NOT EXISTS (
        SELECT 1 FROM unnest(s.needs) AS need
        LEFT JOIN steps needed ON needed.run_id = s.run_id AND needed.component || '/' || needed.item = need
        WHERE needed.state IS NULL OR needed.state NOT IN ('done', 'reused')
    )
), made_ready AS (
    UPDATE steps s SET state = 'ready', ready_at = now()
    FROM able a
    WHERE s.state = 'waiting' AND s.run_id = %(run_id)s AND s.component = a.component AND s.item = a.item
)
SELECT component, item, version FROM able
"""

# Runs under way, and runs that failed although no step of theirs did, nor of their nested runs, which are redriven with them:
# an execution was lost, a deadline passed. Not those that somebody stopped, nor those of clocks.
_UNFINISHED = """
SELECT r.run_id FROM runs r
WHERE r.style <> 'scheduled' AND r.parent IS NULL AND (
    r.status = 'RUNNING' OR (r.status = 'FAILED' AND r.cause IS DISTINCT FROM %(stopped)s AND NOT EXISTS (
        SELECT 1 FROM steps s WHERE s.run_id = r.run_id AND s.state = 'failed' AND (
            s.error IS DISTINCT FROM 'NestedRunFailed' OR EXISTS (
                SELECT 1 FROM runs n WHERE n.parent = r.run_id AND n.status = 'FAILED' AND (
                    n.cause = %(stopped)s
                    OR EXISTS (SELECT 1 FROM steps f WHERE f.run_id = n.run_id AND f.state = 'failed')
                )
            )
        )
    ))
)
ORDER BY r.started_at
"""

_NESTED = "SELECT run_id FROM runs WHERE parent = %(run_id)s"

_STEPS_TO_DO = """
SELECT component, item FROM steps
WHERE run_id = %(run_id)s AND (state NOT IN ('done', 'reused') OR component || '/' || item = ANY (%(gone)s))
"""


class UnderWay(BadRequest):
    """The run's execution is running: there is nothing to redrive."""


def unfinished_runs(connection: Connection) -> list[str]:
    return [row["run_id"] for row in fetch_all(connection, _UNFINISHED, {"stopped": STOPPED})]


def redrive_run(
    aws: Aws, connection: Connection, deployment: Deployment, run_id: str, style: str | None = None
) -> Started:
    """Set a run going again. Nothing has changed when this raises BadRequest.

    It does when there is no such run (NoSuchRun), or it has succeeded (HasEnded), or what it started with is not deployed any
    more; UnderWay when its execution is running.
    """
    if style is not None and style not in STYLES:
        raise BadRequest(f"unknown style '{style}': choose {' or '.join(STYLES)}")
    return _redrive(aws, connection, deployment, run_id, style)


def _redrive(
    aws: Aws, connection: Connection, deployment: Deployment, run_id: str, style: str | None, nested: bool = False
) -> Started:
    with one_at_a_time(connection, run_id):
        gone = _without_their_files(aws, connection, run_id)  # before the run is locked: it may be many calls
        _redrive_nested(aws, connection, deployment, run_id, style, gone)
        with connection.transaction():
            run = _lock(aws, connection, run_id, remade=gone if nested else ())
            request, graph = RunRequest.model_validate_json(run["request"]), _graph(connection, run["graph"])
            chosen, name = style or run["style"], f"{run_id}-{run['generation'] + 1}"
            version, execution = "", None
            if chosen == "orchestrated":
                machine = deployment.state_machine_arn(graph.pipeline)
                version = _pinned_version(aws, connection, machine, run_id, run["graph"])
                execution = execution_arn(machine, name)
            goes_on = run["status"] == "RUNNING" and run["style"] == chosen == "choreographed" and not run["overdue"]
            if not goes_on:
                reopened = {"run_id": run_id, "style": chosen, "execution": execution, "deadline": graph.deadline}
                connection.execute(_REOPEN, reopened)
            connection.execute(_FORGET, {"run_id": run_id, "steps": gone})
            connection.execute(_RESET, {"run_id": run_id, "anew": not goes_on})
            commands = [] if execution else _commands(connection, deployment, graph, request, run)
        with sending(connection, run_id, "redrive it again"):
            if execution:
                start_execution(aws, version, name, request, run["traceparent"])
            for url, body in commands:
                aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    return Started(run_id, execution)


def _redrive_nested(
    aws: Aws, connection: Connection, deployment: Deployment, run_id: str, style: str | None, gone: list[str]
) -> None:
    """The runs that are steps of it, before it: a step that waits for a failed one would fail again.

    Those of steps that have their answers are left as they are. What has succeeded is run again when the files of its
    last answer are gone.
    """
    nested = {row["run_id"] for row in fetch_all(connection, _NESTED, {"run_id": run_id})}
    if not nested:
        return
    _lock(aws, connection, run_id)  # for what it raises: nothing has changed then
    steps = fetch_all(connection, _STEPS_TO_DO, {"run_id": run_id, "gone": gone})
    for each in sorted(nested & {nested_run_id(run_id, step["component"], step["item"]) for step in steps}):
        with suppress(UnderWay, HasEnded):
            _redrive(aws, connection, deployment, each, style, nested=True)


def _lock(aws: Aws, connection: Connection, run_id: str, remade: Sequence[str] = ()) -> DictRow:
    rows = fetch_all(connection, _LOCK, {"run_id": run_id})
    if not rows:
        raise NoSuchRun(f"there is no run '{run_id}': `brigade runs` lists them")
    run = rows[0]
    if run["style"] == SCHEDULED:
        raise BadRequest(
            f"run {run_id} was started by clocks, which do not go back: start a new one with `brigade run`"
        )
    if run["status"] == "SUCCEEDED" and f"{_graph(connection, run['graph']).nodes[-1].component}/{WHOLE}" not in remade:
        raise HasEnded(f"run {run_id} has succeeded: start a new one with `brigade run`")
    if run["status"] == "RUNNING" and run["execution"] and _is_running(aws, run["execution"]):
        raise UnderWay(f"run {run_id} is under way: `brigade history {run_id}` shows where it is")
    return run


def _is_running(aws: Aws, execution: str) -> bool:
    try:
        return aws.stepfunctions.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except aws.stepfunctions.exceptions.ExecutionDoesNotExist:
        return False


def _without_their_files(aws: Aws, connection: Connection, run_id: str) -> list[str]:
    """The done steps whose answers refer to files that are gone: who needs them could not read them."""
    rows = fetch_all(connection, _ANSWERS, {"run_id": run_id})
    return [row["step"] for row in rows if not all(_is_there(aws, uri) for uri in files_of(json.loads(row["answer"])))]


def _is_there(aws: Aws, uri: str) -> bool:
    place = urlsplit(uri)
    try:
        aws.s3.head_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        return False
    return True


def _pinned_version(aws: Aws, connection: Connection, machine: str, run_id: str, digest: str) -> str:
    """The state machine that the run started with, whatever has been deployed since."""
    version = published_version(connection, machine, digest)
    if version:
        try:
            aws.stepfunctions.describe_state_machine(stateMachineArn=version)
        except aws.stepfunctions.exceptions.StateMachineDoesNotExist:
            version = None
    if version is None:
        raise BadRequest(
            f"the state machine of graph {digest}, which run {run_id} started with, is not deployed any more: redrive it "
            "with --style choreographed, or deploy the code of that graph"
        )
    return version


def _graph(connection: Connection, digest: str) -> Graph:
    rows = fetch_all(connection, "SELECT body FROM graphs WHERE digest = %(digest)s", {"digest": digest})
    return Graph.model_validate_json(rows[0]["body"])


def _commands(
    connection: Connection, deployment: Deployment, graph: Graph, request: RunRequest, run: DictRow
) -> list[tuple[str, str]]:
    """Queue and body of the command of every step that could run now, or is at work."""
    commands = []
    for row in connection.execute(_RUNNABLE, {"run_id": request.run_id}).fetchall():
        key = StepKey(run_id=request.run_id, component=row["component"], item=row["item"])
        url = deployment.queue_url_of(key.component, row["version"])
        commands.append((url, _command(connection, graph, request, key, run["traceparent"])))
    return commands


def _command(connection: Connection, graph: Graph, request: RunRequest, key: StepKey, trace: str | None) -> str:
    query = """
        SELECT n.component || '/' || n.item AS step, n.answer
        FROM steps s JOIN steps n ON n.run_id = s.run_id
        WHERE s.run_id = %(run_id)s AND s.component = %(component)s AND s.item = %(item)s AND n.answer IS NOT NULL
          AND (n.component || '/' || n.item = ANY (s.needs) OR n.component || '/' || n.item = %(plan)s)
    """
    parameters = {**key.model_dump(), "plan": f"{graph.planner.component}/{WHOLE}"}
    rows = fetch_all(connection, query, parameters)
    node = graph.node(key.component)
    data = assemble(graph, node, key.item, request, {row["step"]: json.loads(row["answer"]) for row in rows})
    return seal(key, node.command, "redrive", data, datetime.now(UTC), trace)
