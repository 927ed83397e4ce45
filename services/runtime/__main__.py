"""The composition root of a worker: `python -m services.runtime COMPONENT [--version v2]`."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiorwlock import RWLock

from contracts.component import Component
from contracts.envelope import StepKey
from contracts.errors import BadRequest, BrigadeError
from contracts.message import EarlierResult
from contracts.pipeline import Pipeline
from contracts.pipelines import PIPELINES, component_named, pipeline_named
from services.runtime.attempt import Attempt
from services.runtime.claim_check import Bridge, S3Files
from services.runtime.context import Context
from services.runtime.delivery import Delivery
from services.runtime.earlier import earlier_result
from services.runtime.forecasting import AmazonForecast, Connection
from services.runtime.handlers import Handler, Kitchen, find_fallback, find_handler
from services.runtime.leases import Held, Leases
from services.runtime.nested import AT_ONCE, NestedRuns, Way
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue
from services.runtime.settings import Settings, names_a_collector, read_settings
from services.runtime.settle import Settling
from services.runtime.stateless import StatelessDelivery
from services.runtime.store import Claim, Pool, Run, Store, Worker, open_pool, open_spare
from services.runtime.sweep import Sweep
from services.runtime.telemetry import ApiCalls, Metrics, configure_logging, step_log
from services.runtime.text import printable
from services.runtime.worker import WorkerProcess

if TYPE_CHECKING:
    from services.runtime.tracing import Traces

AWS = AioConfig(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=40,
    max_pool_connections=50,
    parameter_validation=False,  # the type checker has seen every call, and the service looks again
)

FindEarlier = Callable[[str, str, date, datetime], EarlierResult | None]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="services.runtime", description="Run one component's worker until SIGTERM.")
    parser.add_argument("component")
    parser.add_argument("--version", default=None, help="of the component; its first by default")
    asked = parser.parse_args(arguments)
    try:
        component = component_named(asked.component)
        version = asked.version or component.versions[0]
        component = component.model_copy(update={"policy": component.policy_of(version)})
        handler, fallback = find_handler(component, version), find_fallback(component)
        settings = read_settings()
        name = settings.worker_name or new_name(component.name, version)
        configure_logging(settings.log_level, component.name, version, name)
        identity = Worker(name, settings.log_location, version, component.policy.lease)
        asyncio.run(work(component, handler, identity, settings, fallback))
    except BrigadeError as error:
        print(printable(str(error)), file=sys.stderr)  # noqa: T201 - perhaps before logging is configured
        return 2
    except Exception:
        logging.getLogger("brigade.worker").exception("stopped by an error")  # Python's own traceback hides nothing
        return 1
    return 0


def new_name(component: str, version: str) -> str:
    """Of one worker process, never again: a container that is started anew keeps its host name, and its pid is 1 again."""
    return f"{component}-{version}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


async def work(
    component: Component, handler: Handler, identity: Worker, settings: Settings, fallback: Handler | None = None
) -> None:
    """Put one worker together and run it until SIGTERM or SIGINT."""
    async with AsyncExitStack() as stack:
        worker = await compose(stack, component, handler, identity, settings, fallback)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stopping.set)
        await worker.run()
    logging.getLogger("brigade.worker").info("stopped")


@dataclass(frozen=True)
class Parts:
    """What every worker is made of, with a step store or without."""

    component: Component
    identity: Worker
    settings: Settings
    queue: Queue
    outgoing: Outgoing
    kitchen: Kitchen
    fallback: Kitchen | None
    metrics: Metrics
    files: S3Files
    bridge: Bridge
    forecast: Connection
    traces: "Traces | None"

    def context(
        self,
        key: StepKey,
        attempt: int,
        held: Held,
        find_earlier: FindEarlier,
        failure: str | None = None,
        trace_id: str | None = None,
    ) -> Context:
        log = step_log(key, attempt, trace_id)
        return Context(
            run_id=key.run_id,
            component=self.component.name,
            item=key.item,
            version=self.identity.version,
            attempt=attempt,
            log=log,
            files=self.files,
            connect=lambda: psycopg.connect(self.database_url),
            find_earlier=find_earlier,
            beat=held.beat,
            forecasting=AmazonForecast(self.forecast, self.settings.forecast_role, held.beat, log),
            failure=failure,
            policy=self.component.policy,
        )

    @property
    def database_url(self) -> str:
        if self.settings.database_url is None:
            raise BadRequest(f"{self.component.name} needs a database: set DATABASE_URL")
        return self.settings.database_url


async def compose(
    stack: AsyncExitStack,
    component: Component,
    handler: Handler,
    identity: Worker,
    settings: Settings,
    fallback: Handler | None = None,
    pipelines: tuple[Pipeline, ...] = PIPELINES,
) -> WorkerProcess:
    traces = _open_traces(component, identity, settings)
    if traces:
        stack.push_async_callback(traces.close)
    calls = ApiCalls()
    session = get_session()
    sqs = await stack.enter_async_context(session.create_client("sqs", config=AWS))
    sns = await stack.enter_async_context(session.create_client("sns", config=AWS))
    stepfunctions = await stack.enter_async_context(session.create_client("stepfunctions", config=AWS))
    s3 = await stack.enter_async_context(session.create_client("s3", config=AWS))
    for client in (sqs, sns, stepfunctions, s3):
        calls.watch(client)
    queue = Queue(sqs, settings.queue_url, settings.dead_letter_url, component.policy.lease)
    await stack.enter_async_context(queue)
    way = _way_to(component, identity.version, settings, pipelines)
    concurrency = settings.concurrency or (AT_ONCE if way else component.concurrency)
    kitchen, other = Kitchen(handler, concurrency), Kitchen(fallback, concurrency) if fallback else None
    for each in filter(None, (kitchen, other)):
        stack.callback(each.close)
    outgoing = Outgoing(sns, stepfunctions, settings.topic_arn)
    metrics = Metrics(component.name, identity.version)
    bridge = Bridge(asyncio.get_running_loop())
    files = S3Files(s3, settings.bucket, bridge)
    forecast = Connection(calls.watch)
    parts = Parts(
        component, identity, settings, queue, outgoing, kitchen, other, metrics, files, bridge, forecast, traces
    )
    delivery: Settling
    if component.stateless:
        delivery, sweep = _without_steps(parts), None
    else:
        pool = await stack.enter_async_context(open_pool(parts.database_url))
        store = Store(pool)
        # Leases are renewed on a connection of their own: a database too slow for the other work must not cost them.
        renewing = Store(await stack.enter_async_context(open_spare(parts.database_url)))
        runs = NestedRuns(way, pool, sqs, stepfunctions) if way else None
        delivery = _with_steps(parts, pool, store, renewing, runs)
        sweep = Sweep(pool, store, queue, stepfunctions, metrics)
    return WorkerProcess(
        delivery,
        sweep,
        calls,
        os.getpid(),
        concurrency,
        settings.poll_seconds,
        0 if way else settings.drain_seconds,  # another worker waits on, for hours perhaps: there is nothing to finish
        settings.alive_file,
    )


def _way_to(component: Component, version: str, settings: Settings, pipelines: tuple[Pipeline, ...]) -> Way | None:
    """To the pipeline that this version is a run of. Raises BadRequest when nobody said where that is."""
    nested = component.nested_in(version)
    if nested is None:
        return None
    if settings.nested_machine is None or settings.nested_queue_url is None:
        raise BadRequest(
            f"{component.name} {version} is a run of {nested.pipeline}: BRIGADE_NESTED_MACHINE and "
            "BRIGADE_NESTED_QUEUE_URL say where that is, and `brigade worker` sets them"
        )
    return Way(pipeline_named(nested.pipeline, pipelines).graph, settings.nested_machine, settings.nested_queue_url)


def _with_steps(parts: Parts, pool: Pool, store: Store, renewing: Store, runs: NestedRuns | None) -> Delivery:
    def make_context(run: Run, claim: Claim, held: Held) -> Context:
        def find_earlier(name: str, item: str, before: date, since: datetime) -> EarlierResult | None:
            log = step_log(claim.key, claim.attempt, run.trace_id)
            found = parts.bridge.wait_for(earlier_result(pool, run, name, item, before, since, log))
            if found is None or parts.files.has_all(found.output):
                return found
            log.warning("the files of %s/%s/%s are gone: it is not reused", found.run_id, name, item)
            return None

        context = parts.context(claim.key, claim.attempt, held, find_earlier, claim.failure, run.trace_id)
        if runs is None:
            return context
        answer = partial(runs.answer, run, claim.key, held.beat, context.log)
        return replace(context, nested=lambda: parts.bridge.wait_for(answer()))

    component, queue, metrics = parts.component, parts.queue, parts.metrics
    attempt = Attempt(component, pool, store, parts.kitchen, parts.fallback, metrics, make_context)
    if parts.traces:
        from services.runtime.traced import TracedAttempt

        attempt = TracedAttempt(**vars(attempt), traces=parts.traces)
    leases = Leases(queue, renewing, parts.outgoing, component.policy)
    return Delivery(component, parts.identity, queue, pool, store, parts.outgoing, leases, attempt, metrics, RWLock())


def _without_steps(parts: Parts) -> StatelessDelivery:
    def find_earlier(*_: object) -> EarlierResult | None:
        raise BadRequest(f"{parts.component.name} is stateless, so it cannot ask for earlier results")

    component, queue, outgoing = parts.component, parts.queue, parts.outgoing
    leases = Leases(queue, None, outgoing, component.policy)
    make_context = partial(parts.context, find_earlier=find_earlier)
    delivery = StatelessDelivery(
        component, parts.identity, queue, outgoing, leases, parts.kitchen, parts.metrics, make_context
    )
    if parts.traces:
        from services.runtime.traced import TracedStateless

        return TracedStateless(**vars(delivery), traces=parts.traces)
    return delivery


def _open_traces(component: Component, identity: Worker, settings: Settings) -> "Traces | None":
    if not names_a_collector(os.environ):
        return None
    try:
        from services.runtime import tracing  # here, so that nobody else pays for the SDK
    except ImportError as error:
        raise BadRequest(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra otlp is not installed: install brigade with its extra `otlp`, "
            "or unset it"
        ) from error
    return tracing.Traces(tracing.exporter(), component, identity, settings.queue_url)


if __name__ == "__main__":
    sys.exit(main())
