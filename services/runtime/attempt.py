"""One attempt at a step: the handler between its claim and its commit, and what its failure means."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from contracts.component import Component, Limit, Policy
from contracts.errors import BrigadeError, ContractViolation, HandlerTimedOut, UnexpectedError, WorkerLost
from contracts.message import Command, Event
from services.runtime.commit import Committed, commit
from services.runtime.context import Context, Log
from services.runtime.handlers import Kitchen
from services.runtime.incoming import Json, refuse_other_versions, serialise, validate
from services.runtime.leases import Held
from services.runtime.queue import ENVELOPE, check_size
from services.runtime.store import Claim, Ended, Exhausted, Pool, Retry, Run, Store, Superseded
from services.runtime.telemetry import Metrics
from services.runtime.text import printable

T = TypeVar("T")

AWAY = (psycopg.OperationalError, PoolTimeout)

MakeContext = Callable[[Run, Claim, Held], Context]


@dataclass(frozen=True)
class Failed:
    """The attempt came to nothing; `then` says whether the step is tried again."""

    error: str
    cause: str
    then: Retry | Exhausted | Superseded


@dataclass(frozen=True)
class Attempt:
    component: Component
    pool: Pool
    store: Store
    kitchen: Kitchen
    fallback: Kitchen | None
    metrics: Metrics
    make_context: MakeContext

    async def run(
        self, run: Run, claim: Claim, data: Json, text: str, held: Held
    ) -> Committed | Failed | Superseded | Ended:
        """Run the handler and make its answer count. `text` is the data as JSON.

        Only a failure of the surroundings is raised.
        """
        context = self.make_context(run, claim, held)
        try:
            check_size(text, ENVELOPE)  # a join is assembled here, so no sender has done it
            if claim.attempt > 1:
                await self._refuse_what_kills_workers(claim)
            refuse_other_versions(self.component, run.graph, data)
            top = run.graph.node(self.component.name).event
            text, parsed = await cook(self.component, self._kitchen(claim), data, context, self.metrics, top)
        except Exception as raised:
            return await self._failed(run, claim, raised, context.log)
        try:
            return await patiently(partial(commit, self.pool, self.store, run, claim, text, parsed, context.statements))
        except AWAY:
            raise
        except Exception as raised:
            return await self._failed(run, claim, raised, context.log)

    def _kitchen(self, claim: Claim) -> Kitchen:
        if claim.mode == "normal":
            return self.kitchen
        self.metrics.count("FellBack")
        if self.fallback is None:
            raise ContractViolation(
                f"{self.component.name} has no fallback here, its run started with one: deploy again"
            )
        return self.fallback

    async def _refuse_what_kills_workers(self, claim: Claim) -> None:
        limit = self._limit(WorkerLost.__name__)
        if limit and claim.attempt > limit.attempts:
            losses = await self.store.count_failures(claim.key, [WorkerLost.__name__])
            if losses >= limit.attempts:
                raise KilledItsWorkers(
                    f"{losses} workers were lost while they ran it: see their log lines before the end"
                )

    async def _failed(self, run: Run, claim: Claim, raised: Exception, log: Log) -> Failed:
        error, cause = classify(raised, self.component.policy)
        limit, fails_run = self._limit(error), run.fails_with(self.component.name)
        fail = partial(self.store.fail, claim, error, cause, limit, self.fallback is not None, fails_run)
        then = await patiently(fail)
        log_failure(log, raised, error, cause)
        return Failed(error, cause, then)

    def _limit(self, error: str) -> Limit | None:
        return self.component.policy.limit_for(error)


async def cook(
    component: Component, kitchen: Kitchen, data: Json, context: Context, metrics: Metrics, top: str = ""
) -> tuple[str, Json]:
    """Run the handler on a command's data. Gives its answer as JSON and parsed; both ends are held against the contract.

    `top` is the version of the answer that the run's graph names; without a run, the oldest that is given.

    What was replaced on the way to its inputs is handed on in the answer.
    """
    inputs = validate(component.input, data)
    started = time.monotonic()
    timeout = component.policy.timeout
    try:
        async with asyncio.timeout(timeout) as limit:
            event = await kitchen.cook(inputs, context)
    except TimeoutError as error:
        if not limit.expired():
            raise  # the handler's own
        raise HandlerTimedOut(f"no answer within {timeout} s: raise the component's timeout, or do less") from error
    finally:
        metrics.seconds("Duration", time.monotonic() - started)
    context.log.info("handled in %.3f s", time.monotonic() - started)
    text, parsed = serialise(_handed_on(event, inputs, context), component, top or component.output.wire_type())
    check_size(text, ENVELOPE)
    return text, parsed


def _handed_on(event: Event, inputs: Command, context: Context) -> Event:
    if not isinstance(event, Event):
        return event  # refused where it is serialised
    if context.failure and not event.degraded:
        raise ContractViolation("a fallback must say what it gives instead: answer with degraded=ctx.replaced(...)")
    degraded = tuple(dict.fromkeys((*event.degraded, *inputs.replacements)))
    return event.model_copy(update={"degraded": degraded}) if degraded else event


def classify(raised: Exception, policy: Policy) -> tuple[str, str]:
    """The error's name, as the policy and Step Functions know it, and what happened."""
    if not isinstance(raised, BrigadeError):
        return UnexpectedError.__name__, printable(f"{type(raised).__name__}: {raised}")
    known = (cls.__name__ for cls in type(raised).__mro__ if policy.limit_for(cls.__name__))
    return next(known, raised.name) if raised.retryable else raised.name, printable(str(raised))


def log_failure(log: Log, raised: Exception, error: str, cause: str) -> None:
    """With a traceback when nobody meant to raise it."""
    log.error("attempt failed: %s: %s", error, cause, exc_info=None if isinstance(raised, BrigadeError) else raised)


class KilledItsWorkers(BrigadeError):
    """A step whose every attempt ended with the worker's own end."""


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """The database may be away for a while; the fence keeps a late commit from counting."""
    try:
        return await work()
    except AWAY:
        again = AsyncRetrying(
            retry=retry_if_exception_type(AWAY),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            stop=stop_after_delay(60),
            reraise=True,
        )
        return await again(work)
