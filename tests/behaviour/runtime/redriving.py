"""What tests of redrives share."""

import asyncio
import os
import threading
from typing import Any

import psycopg
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from contracts.errors import BadData
from contracts.message import Event
from orchestrator.redrive import redrive_run
from services.runtime.context import Context
from tests.behaviour.cli.typed import Done, spawned
from tests.behaviour.runtime.floor import PATIENCE, Floor


class Slow:
    """A handler that is at work until it is let go."""

    def __init__(self, floor: Floor, component: str) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._usual = floor.handlers[component]
        floor.handlers[component] = self

    def __call__(self, inputs: Any, ctx: Context) -> Event:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return self._usual(inputs, ctx)


async def brigade(floor: Floor, *arguments: str) -> Done:
    """The command line, in a process beside the workers in this one."""
    variables = {"DATABASE_URL": floor.database_url, "BRIGADE_PREFIX": "floor", "BRIGADE_HOME": "/nowhere"}
    return await asyncio.to_thread(spawned, *arguments, env=os.environ | variables)


def redrive(floor: Floor, run_id: str, style: str | None = None) -> None:
    redrive_run(floor.aws, floor.connection, floor.deployment, run_id, style)


@retry(retry=retry_if_result(lambda found: not found), wait=wait_fixed(0.02), stop=stop_after_delay(20))
def wait_for_the_soup(floor: Floor, run_id: str) -> bool:
    """On a handler's own thread and connection."""
    with psycopg.connect(floor.database_url) as connection:
        query = "SELECT 1 FROM steps WHERE run_id = %s AND component = 'chopper' AND item = 'soup' AND state = 'done'"
        return connection.execute(query, (run_id,)).fetchone() is not None


async def failed_run(floor: Floor, style: str) -> str:
    """When the soup is done, the pie fails; then there is a knife for it."""
    chop = floor.handlers["chopper"]

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.item == "pie":
            wait_for_the_soup(floor, ctx.run_id)
            raise BadData("no knife")
        return chop(inputs, ctx)

    floor.handlers["chopper"] = handler
    run_id = floor.start(style)
    async with floor.working(concurrency=2):
        run = await floor.ended(run_id)
        await floor.settled()
    assert (run["status"], run["cause"]) == ("FAILED", "chopper/pie failed: BadData: no knife")
    floor.handlers["chopper"] = chop
    return run_id
