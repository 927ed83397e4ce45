"""From rows, logs and the execution's history to one recorded line."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from chaos.compare import logs
from chaos.compare.drive import Asked, Driven
from chaos.compare.looking import places
from chaos.compare.site import Site
from contracts.message import files_of
from orchestrator.compare.recorded import Alarm, Attempt, Planted, RecordedRun, StaleInput, StepRun, Work
from orchestrator.measure import cost_of, state_transitions

Row = dict[str, Any]

_STEPS = """
SELECT s.component, s.item, s.state, s.needs, s.ready_at, s.inputs_from, s.error AS failure, s.ended_at AS step_ended,
       a.fence, a.attempt, a.mode, a.worker, a.started_at, a.ended_at, a.outcome, a.error, a.cause
FROM steps s LEFT JOIN attempts a USING (run_id, component, item)
WHERE s.run_id = %(run_id)s ORDER BY s.position, s.item, a.fence
"""

_LAST = """
SELECT component, item, answer FROM steps
WHERE run_id = %(run_id)s AND component = ANY (%(last)s) AND state IN ('done', 'reused') ORDER BY component, item
"""


def record(site: Site, asked: Asked, driven: Driven, **known: Any) -> RecordedRun:
    """`known` is what the campaign knows: number, repetition, warm_up, expected_sha256."""
    (run,) = site.rows("SELECT * FROM runs WHERE run_id = %(run_id)s", run_id=driven.run_id)
    scheduled = _scheduled_tasks(site, run["execution"])
    logged = logs.read(site.home.logs, driven.logs, driven.run_id)
    rows = site.rows(_STEPS, run_id=driven.run_id)
    start = run["started_at"]
    clocks = {name: driven.started - start.timestamp() + at for name, at in asked.starts.items()}
    steps = tuple(step_of(list(of), start, logged, scheduled, clocks) for _, of in groupby(rows, key=_key))
    stale = _stale(rows, driven.run_id)
    status = "LOST" if driven.lost else run["status"]
    sha256 = published(site, driven.run_id)
    wrong = sha256 is not None and known.get("expected_sha256") not in (None, sha256)
    shows = status != "SUCCEEDED" or run["degraded"] or bool(stale) or wrong
    return RecordedRun(
        style=asked.style,
        run_id=driven.run_id,
        date=asked.day,
        fault=_fault(asked, driven, run["started_at"]),
        status=status,
        degraded=run["degraded"],
        cause=run["cause"],
        published_sha256=sha256 if status == "SUCCEEDED" else None,
        stale=stale,
        seconds=max((run["ended_at"] - run["started_at"]).total_seconds(), 0.0),
        steps=steps,
        work=_work(site, driven, run, logged, len(scheduled)) if driven.settled else None,
        alarm=_alarm(run, rows),
        places=places(asked.style, site.subject.pipeline.graph, steps, stale, status) if shows else (),
        **known,
    )


def published(site: Site, run_id: str) -> str | None:
    """SHA-256 of the answers of the last components, in which nothing names the run; None without them.

    What was replaced is not part of it, nor where files are: their own hashes are.
    """
    graph = site.subject.pipeline.graph
    last = [node.component for node in graph.nodes if not graph.consumers(node.component)]
    answers = site.rows(_LAST, run_id=run_id, last=last)
    if {row["component"] for row in answers} != set(last):
        return None
    told = []
    for row in answers:
        answer = json.loads(row["answer"])
        answer.pop("degraded", None)
        text = json.dumps(answer, sort_keys=True)
        for uri in files_of(answer):
            text = text.replace(uri, "")
        told.append([row["component"], row["item"], text.replace(run_id, "")])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def stored(site: Site, run_id: str) -> int:
    """Bytes of the run's files, which every component keeps in a folder of its own."""
    pages = site.aws.s3.get_paginator("list_objects_v2")
    return sum(
        file["Size"]
        for component in site.subject.pipeline.components
        for page in pages.paginate(Bucket=site.deployment.bucket, Prefix=f"{component.name}/{run_id}/")
        for file in page.get("Contents", ())
    )


def _key(row: Row) -> tuple[str, str]:
    return row["component"], row["item"]


def _since(start: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else (moment - start).total_seconds()


def step_of(
    rows: list[Row],
    start: datetime,
    logged: logs.Logged,
    scheduled: Mapping[str, datetime],
    clocks: Mapping[str, float],
) -> StepRun:
    """From a row for each attempt. `scheduled` is by step, in orchestrated runs; `clocks` by component, in scheduled ones."""
    first = rows[0]
    attempts = tuple(
        Attempt(
            number=row["attempt"],
            mode=row["mode"],
            worker=row["worker"],
            claimed=(row["started_at"] - start).total_seconds(),
            ended=_since(start, row["ended_at"]),
            handler_seconds=logged.handler_seconds.get((*_key(row), row["attempt"])),
            outcome=row["outcome"],
            error=f"{row['error']}: {row['cause']}" if row["error"] else None,
        )
        for row in rows
        if row["attempt"]
    )
    ready = _since(start, scheduled.get(f"{first['component']}/{first['item']}", first["ready_at"]))
    if ready is not None and attempts and ready > attempts[0].claimed:
        ready = clocks.get(first["component"])  # the row's is of a later attempt
    return StepRun(
        component=first["component"],
        item=first["item"],
        state=first["state"],
        needs=tuple(first["needs"]),
        ready=ready,
        attempts=attempts,
    )


def _stale(rows: list[Row], run_id: str) -> tuple[StaleInput, ...]:
    found = {
        StaleInput(step=f"{row['component']}/{row['item']}", source=need.partition("/")[0], from_run=other): None
        for row in rows
        for need, other in sorted((row["inputs_from"] or {}).items())
        if other != run_id
    }
    return tuple(found)


def _fault(asked: Asked, driven: Driven, start: datetime) -> Planted | None:
    if asked.fault.kind == "nothing":
        return None
    begun = None if driven.begun is None else driven.begun - start.timestamp()
    due = asked.due.at if asked.due else 0.0
    happened = driven.happened
    return Planted(
        kind=asked.fault.kind,
        component=asked.fault.component,
        planted=begun if begun is not None else min(driven.started - start.timestamp(), 0.0),
        happened=happened - start.timestamp() if happened else None if begun is None else max(begun, due),
        undone=None if driven.undone is None else driven.undone - start.timestamp(),
    )


def _alarm(run: Row, rows: list[Row]) -> Alarm | None:
    start = run["started_at"]
    alarms = [(row["step_ended"], f"dead letter of {row['component']}") for row in rows if row["state"] == "failed"]
    if run["status"] == "FAILED":
        alarms.append((run["ended_at"], "run failed"))
    elif run["degraded"]:
        alarms.append((run["ended_at"], "run degraded"))
    at, by = min(alarms, default=(None, ""), key=lambda one: one[0])
    return Alarm(at=(at - start).total_seconds(), by=by) if at else None


def _scheduled_tasks(site: Site, execution: str | None) -> dict[str, datetime]:
    """When the state of each step was entered first, by local key: the state machine sends its command then."""
    found: dict[str, datetime] = {}
    if execution is None:
        return found
    pages = site.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    for page in pages:
        for event in page["events"]:
            details = event.get("taskScheduledEventDetails")
            if details:
                body = json.loads(details["parameters"])["MessageBody"]
                step = (body if isinstance(body, dict) else json.loads(body))["id"].partition("/")[2]
                found.setdefault(step, event["timestamp"])
    return found


def _work(site: Site, driven: Driven, run: Row, logged: logs.Logged, commands: int) -> Work:
    """What the driver and Step Functions sent is added: somebody pays for it, too."""
    cost = cost_of(driven.before, driven.after, state_transitions(site.aws, run["execution"]))
    calls = {service: dict(operations) for service, operations in cost.api_calls.items()}
    sent = driven.messages + commands
    if sent:
        sqs = calls.setdefault("sqs", {})
        sqs["SendMessage"] = sqs.get("SendMessage", 0) + sent
    if run["execution"]:
        calls.setdefault("states", {})["StartExecution"] = 1
    return Work(
        messages=cost.messages,
        api_calls=calls,
        idle_polls=cost.idle_polls,
        state_transitions=cost.state_transitions,
        bytes={"s3": stored(site, driven.run_id), "logs": logged.bytes, **_bodies(site, driven.run_id, run)},
        repeats_absorbed=logged.repeats_absorbed,
    )


def _bodies(site: Site, run_id: str, run: Row) -> dict[str, int]:
    """Of commands and answers, as the rows keep them: what was sent of each once, without envelopes."""
    query = """
        SELECT coalesce(sum(octet_length(input)), 0)::integer AS commands,
               coalesce(sum(octet_length(answer)) FILTER (WHERE state = 'done'), 0)::integer AS answers
        FROM steps WHERE run_id = %(run_id)s
    """
    (row,) = site.rows(query, run_id=run_id)
    if run["execution"]:
        return {"sqs": row["commands"], "states": row["answers"]}
    return {"sqs": row["commands"], "sns": row["answers"] if run["style"] == "choreographed" else 0}
