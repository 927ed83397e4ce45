"""The step store: who works on what, and what came of it. PostgreSQL; leases use the database's clock.

One step has one row (contracts/runs.sql). Claiming counts the attempt before the handler runs, so that crashes count, and
raises a fence; a commit with an older fence changes nothing.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from contracts.component import Limit
from contracts.envelope import Mode, StepKey
from contracts.graph import WHOLE, Graph
from contracts.run import SCHEDULED, RunRequest
from services.runtime import sql
from services.runtime.batching import Batcher

Json = dict[str, Any]
Row = dict[str, Any]
Pool = AsyncConnectionPool[Any]

CONNECTION: Json = {"autocommit": True, "row_factory": dict_row}


@dataclass(frozen=True)
class Run:
    """What does not change about a run while it is under way."""

    style: str
    request: RunRequest
    graph: Graph
    traceparent: str | None
    started_at: datetime

    @property
    def trace_id(self) -> str | None:
        return self.traceparent.split("-")[1] if self.traceparent else None

    @property
    def ends_with(self) -> list[str] | None:
        """The components whose answers end the run, whatever became of others; None when it takes every step's.

        Scheduled, nobody knows of anybody: what the last ones have published is the run's end.
        """
        if self.style != SCHEDULED:
            return None
        return [node.component for node in self.graph.nodes if not self.graph.consumers(node.component)]

    def fails_with(self, component: str) -> bool:
        """Whether a step of the component that has failed for good fails the run: scheduled, those after it go on."""
        return self.ends_with is None or component in self.ends_with


@dataclass(frozen=True)
class Worker:
    """Who claims, and where its log lines are."""

    name: str
    log: str
    version: str
    lease: int


NO_ANSWER = "WorkerLost: no worker gave an answer in time"
"""Why a fallback runs when no attempt has said so."""


@dataclass(frozen=True)
class Claim:
    """The right to run a step's handler until the lease ends; with a `failure` behind it, its fallback."""

    key: StepKey
    fence: int
    attempt: int
    failure: str | None = None

    @property
    def mode(self) -> Mode:
        return "fallback" if self.failure else "normal"


@dataclass(frozen=True)
class Answered:
    """The answer is stored. `token` is the newest that asked for it."""

    token: str | None


@dataclass(frozen=True)
class Done:
    """The step has its answer."""

    answer: str


@dataclass(frozen=True)
class Busy:
    """Another delivery holds a live lease on the step."""

    seconds_left: float


@dataclass(frozen=True)
class Suspect:
    """The step is free, but whoever takes it may not live to tell: no other step should be lost with it."""


@dataclass(frozen=True)
class Ended:
    """The run is over, or knows no such step: the message asks for work nobody wants."""

    reason: str


@dataclass(frozen=True)
class Retry:
    """The attempt failed; the step is ready to be tried again after so many seconds."""

    delay: float


@dataclass(frozen=True)
class Exhausted:
    """The step failed for good, and the run with it after so many seconds, unless it had ended before or goes on without."""

    run_seconds: float | None


@dataclass(frozen=True)
class Superseded:
    """The lease ran out and somebody else holds the step: what this attempt found does not count."""


def open_pool(database_url: str) -> Pool:
    """A pool that is not open yet: `async with` it."""
    return AsyncConnectionPool(database_url, min_size=1, max_size=4, open=False, kwargs=CONNECTION)


def open_spare(database_url: str) -> Pool:
    """One connection, not open yet, that nothing slow shares. Never prepared, each statement takes one round trip."""
    kwargs = {**CONNECTION, "prepare_threshold": None}
    return AsyncConnectionPool(database_url, min_size=1, max_size=1, open=False, kwargs=kwargs)


class Store:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._runs: dict[str, Run] = {}
        self._claims = Batcher(partial(self._several, sql.CLAIM))
        self._answers = Batcher(partial(self._several, sql.STORE_ANSWERS))

    async def run(self, run_id: str) -> Run | None:
        """The run, or None when there is none of that id. Kept: a run's request and graph never change."""
        if run_id not in self._runs:
            row = await self._one(sql.RUN, {"run_id": run_id})
            if row is None:
                return None
            if len(self._runs) >= 1000:
                self._runs.clear()
            self._runs[run_id] = Run(
                style=row["style"],
                request=RunRequest.model_validate_json(row["request"]),
                graph=Graph.model_validate_json(row["body"]),
                traceparent=row["traceparent"],
                started_at=row["started_at"],
            )
        return self._runs[run_id]

    async def claim(
        self,
        key: StepKey,
        worker: Worker,
        token: str | None,
        data: str,
        mode: Mode = "normal",
        losses: int | None = None,
    ) -> Claim | Suspect | Done | Busy | Ended:
        """Take the step, or say what stands in the way; then a live owner learns the newest token.

        A step that has lost so many workers as `losses` is not taken.
        """
        parameters = {**key.model_dump(), **vars(worker), "token": token, "input": data, "mode": mode, "losses": losses}
        row = await self._claims.put(parameters)
        if row is not None:
            failure = row["failure"] or NO_ANSWER if row["mode"] == "fallback" else None
            return Claim(key, row["fence"], row["attempt"], failure)
        row = await self._one(sql.LOOK, parameters)
        if row is None:
            return Ended(f"the run has no step {key.local}")
        if row["state"] in ("done", "reused"):
            return Done(row["answer"])
        if row["status"] != "RUNNING":
            return Ended(f"the run is {row['status']}")
        if row["state"] == "failed":  # of a run that goes on without it
            return Ended("the step has failed")
        if row["version"] != worker.version:
            return Ended(f"the run pins {key.component} to {row['version']}")
        if row["free"] and losses is not None:
            return Suspect()
        return Busy(max(float(row["seconds_left"] or 0), 1.0))

    async def answer(self, claim: Claim, answer: str) -> Answered | Superseded:
        """Store the answer of a step that nothing else hangs on, if the claim still holds."""
        row = await self._answers.put(answer_parameters(claim, answer))
        return Answered(row["token"]) if row else Superseded()

    async def count_failures(self, key: StepKey, errors: Sequence[str]) -> int:
        """How many attempts of the run's current generation ended with one of these errors."""
        row = await self._one(sql.COUNT_FAILURES, {**key.model_dump(), "errors": list(errors)})
        return int(row["failures"]) if row else 0

    async def fail(
        self,
        claim: Claim,
        error: str,
        cause: str,
        limit: Limit | None,
        fallback: bool = False,
        fails_run: bool = True,
    ) -> Retry | Exhausted | Superseded:
        """Record a failed attempt. When its limit is spent, the step falls back if it can and has not yet.

        Else the step fails, and in the same transaction the run, unless it can end without the step.
        """
        parameters = {**claim.key.model_dump(), "fence": claim.fence, "error": error, "cause": cause}
        async with self._pool.connection() as connection, connection.transaction():
            held = await connection.execute(sql.LOCK_CLAIM, parameters)
            if held.rowcount == 0:
                return Superseded()
            await connection.execute(sql.FAIL_ATTEMPT, parameters)
            errors = list(limit.errors) if limit else [error]
            cursor = await connection.execute(sql.COUNT_FAILURES, {**parameters, "errors": errors})
            row = await cursor.fetchone()
            failures = int(row["failures"]) if row else 1
            if limit is not None and failures < limit.attempts:
                delay = limit.delay_after(failures) * (random.random() if limit.jitter else 1)  # noqa: S311 - no secret
                await connection.execute(sql.RELEASE_STEP, {**parameters, "mode": claim.mode, "delay": delay})
                return Retry(delay)
            if fallback and claim.mode == "normal":
                await connection.execute(sql.RELEASE_STEP, {**parameters, "mode": "fallback", "delay": 0})
                return Retry(0)
            await connection.execute(sql.FAIL_STEP, parameters)
            if not fails_run:
                return Exhausted(None)
            times = f" after {failures} attempts" if failures > 1 else ""
            run_cause = f"{claim.key.local} failed{times}: {error}: {cause}"
            cursor = await connection.execute(sql.FAIL_RUN, {**parameters, "cause": run_cause})
            ended = await cursor.fetchone()
            return Exhausted(float(ended["seconds"]) if ended else None)

    async def extend(self, claims: Sequence[Claim], lease: int) -> dict[StepKey, str | None]:
        """Renew the leases still held; gives the newest token of each. A claim that is missing in it was lost."""
        parameters = {
            "runs": [claim.key.run_id for claim in claims],
            "components": [claim.key.component for claim in claims],
            "items": [claim.key.item for claim in claims],
            "fences": [claim.fence for claim in claims],
            "lease": lease,
        }
        rows = await self._all(sql.EXTEND, parameters)
        return {_key(row): row["token"] for row in rows}

    async def release(self, claim: Claim, cause: str) -> None:
        """Give a step back that was not finished, without a verdict."""
        await self._one(sql.GIVE_BACK, {**claim.key.model_dump(), "fence": claim.fence, "cause": cause})

    async def answers(self, run_id: str, component: str, item: str, planner: str) -> dict[str, Json]:
        """The answers of the steps that one step needs, and the plan, by local key."""
        parameters = {"run_id": run_id, "component": component, "item": item, "planner": planner, "whole": WHOLE}
        rows = await self._all(sql.ANSWERS, parameters)
        return {f"{row['component']}/{row['item']}": json.loads(row["answer"]) for row in rows}

    async def report(self, worker: Worker, component: str, pid: int, calls: Json) -> None:
        """Say that a worker is alive, and how many API calls it has made since it started."""
        parameters = {**vars(worker), "component": component, "pid": pid, "calls": json.dumps(calls)}
        async with self._pool.connection() as connection:
            await connection.execute(sql.REPORT, parameters)

    async def _several(self, query: str, asked: Sequence[Json]) -> list[Row | None]:
        """One statement for several steps: the row of each, if it has one. A step that is asked for twice has it once."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, {"asked": json.dumps(asked)})
            rows = {_names(row): row for row in await cursor.fetchall()}
        return [rows.pop(_names(one), None) for one in asked]

    async def _one(self, query: str, parameters: Json) -> Row | None:
        rows = await self._all(query, parameters)
        return rows[0] if rows else None

    async def _all(self, query: str, parameters: Json) -> list[Row]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []


def answer_parameters(claim: Claim, answer: str) -> Json:
    """Of one answer in `sql.STORE_ANSWERS`."""
    return {**claim.key.model_dump(), "fence": claim.fence, "answer": answer}


def _names(row: Row) -> tuple[str, str, str]:
    return row["run_id"], row["component"], row["item"]


def _key(row: Row) -> StepKey:
    return StepKey(run_id=row["run_id"], component=row["component"], item=row["item"])
