"""The composition root of a worker: `python -m services.runtime COMPONENT [--version v2]`."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from functools import partial

import psycopg
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from contracts.component import Component
from contracts.errors import BrigadeError
from contracts.pipelines import component_named
from services.runtime.attempt import Attempt
from services.runtime.claim_check import Bridge, S3Files
from services.runtime.context import Context
from services.runtime.delivery import Delivery
from services.runtime.handlers import Handler, Kitchen, find_handler
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue
from services.runtime.settings import Settings
from services.runtime.store import Claim, Run, Store, Worker, open_pool
from services.runtime.sweep import Sweep
from services.runtime.telemetry import ApiCalls, Metrics, configure_logging, step_log
from services.runtime.worker import WorkerProcess

AWS = AioConfig(
    retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=40, max_pool_connections=50
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="services.runtime", description="Run one component's worker until SIGTERM.")
    parser.add_argument("component")
    parser.add_argument("--version", default=None, help="of the component; its first by default")
    asked = parser.parse_args(arguments)
    try:
        component = component_named(asked.component)
        version = asked.version or component.versions[0]
        handler = find_handler(component, version)
    except BrigadeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before logging is configured
        return 2
    settings = Settings()
    name = settings.worker_name or f"{component.name}-{version}-{socket.gethostname()}-{os.getpid()}"
    configure_logging(settings.log_level, component.name, version, name)
    identity = Worker(name, settings.log_location, version, component.policy.lease)
    asyncio.run(work(component, handler, identity, settings))
    return 0


async def work(component: Component, handler: Handler, identity: Worker, settings: Settings) -> None:
    """Put one worker together and run it until SIGTERM or SIGINT."""
    async with AsyncExitStack() as stack:
        worker = await compose(stack, component, handler, identity, settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stopping.set)
        await worker.run()
    logging.getLogger("brigade.worker").info("stopped")


async def compose(
    stack: AsyncExitStack, component: Component, handler: Handler, identity: Worker, settings: Settings
) -> WorkerProcess:
    calls = ApiCalls()
    session = get_session()
    sqs = await stack.enter_async_context(session.create_client("sqs", config=AWS))
    sns = await stack.enter_async_context(session.create_client("sns", config=AWS))
    stepfunctions = await stack.enter_async_context(session.create_client("stepfunctions", config=AWS))
    s3 = await stack.enter_async_context(session.create_client("s3", config=AWS))
    for client in (sqs, sns, stepfunctions, s3):
        calls.watch(client)
    pool = await stack.enter_async_context(open_pool(settings.database_url))
    queue = Queue(sqs, settings.queue_url, settings.dead_letter_url, component.policy.lease)
    await stack.enter_async_context(queue)
    concurrency = settings.concurrency or component.concurrency
    kitchen = Kitchen(handler, concurrency)
    stack.callback(kitchen.close)
    store, outgoing = Store(pool), Outgoing(sns, stepfunctions, settings.topic_arn)
    metrics = Metrics(component.name, identity.version)
    bridge = Bridge(asyncio.get_running_loop())
    files = S3Files(s3, settings.bucket, bridge)

    def make_context(run: Run, claim: Claim, held: Held) -> Context:
        return Context(
            run_id=claim.key.run_id,
            component=component.name,
            item=claim.key.item,
            version=identity.version,
            attempt=claim.attempt,
            log=step_log(claim.key, claim.attempt),
            files=files,
            connect=partial(psycopg.connect, settings.database_url),
            find_earlier=lambda name, item, before, since: bridge.wait_for(
                store.earlier_result(run.request.pipeline, name, item, before, since)
            ),
            beat=held.beat,
        )

    attempt = Attempt(component, pool, store, kitchen, metrics, make_context)
    leases = Leases(queue, store, outgoing, component.policy)
    delivery = Delivery(component, identity, queue, pool, store, outgoing, leases, attempt, metrics)
    sweep = Sweep(pool, store, queue, stepfunctions, metrics)
    return WorkerProcess(delivery, sweep, calls, os.getpid(), concurrency, settings.drain_seconds)


if __name__ == "__main__":
    sys.exit(main())
