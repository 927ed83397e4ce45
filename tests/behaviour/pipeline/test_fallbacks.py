"""A component that cannot answer, in the whole pipeline: replaced where it has a fallback, the end of the run where not.

In the place of some workers come others in this process. They do the same, until a test puts their component out of order.
"""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.errors import BadData
from contracts.message import Command, Event, Replacement
from contracts.pipelines import component_named
from orchestrator.data import sample, store
from orchestrator.database import fetch_all
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import read_records, stop_processes
from orchestrator.execute import Outcome
from orchestrator.start import STYLES
from services.runtime.__main__ import compose
from services.runtime.context import Context
from services.runtime.handlers import Handler, find_fallback, find_handler
from services.runtime.settings import Settings
from services.runtime.store import Worker
from tests.behaviour.cli.typed import spawned
from tests.behaviour.pipeline.conftest import LAST_FRIDAY, SEED, WEDNESDAY, WEEKS, Fleet

WHY = "BadData: the oven is out of order"
VOLUME, POPULARITY, NETWORK, SITE = "order-volume", "recipe-popularity", "network-configuration", "site-forecast"


@pytest.fixture(scope="module")
def kitchen(fleet: Fleet, story: object) -> Iterator[set[str]]:
    """The components out of order; the story of the other tests is told by then. At last their own workers come back."""
    broken: set[str] = set()
    names = (VOLUME, POPULARITY, NETWORK, SITE)
    own = [record for record in read_records(Home(Path(os.environ["BRIGADE_HOME"]))) if record.name in names]
    assert len(own) == len(names)
    stop_processes(own, grace=40)
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(worker(fleet, name, breakable(name, broken)))
        yield broken
    started = spawned("up", "--pipeline", "order-simulation", env=os.environ)
    assert started.returncode == 0, started.stderr


@pytest.fixture
def out_of_order(kitchen: set[str]) -> Iterator[set[str]]:
    yield kitchen
    kitchen.clear()


@pytest.fixture
def nothing_before(fleet: Fleet, kitchen: object) -> None:
    """The data is replaced by the same: no earlier result counts any more."""
    store(fleet.database_url, sample(WEEKS, SEED, LAST_FRIDAY), replace=True)


def breakable(name: str, broken: set[str]) -> Handler:
    component = component_named(name)
    whole = find_handler(component, component.versions[0])

    def handle(inputs: Command, ctx: Context) -> Event:
        if name in broken:
            raise BadData("the oven is out of order")
        answer: Event = whole(inputs, ctx)
        return answer

    return handle


@contextmanager
def worker(fleet: Fleet, name: str, handler: Handler) -> Iterator[None]:
    """On an event loop of its own, with the product's fallback."""
    component = component_named(name)
    version = component.versions[0]
    variables = fleet.deployment.worker_environment(component, version) | {"DATABASE_URL": fleet.database_url}
    with pytest.MonkeyPatch.context() as patch:
        for key, value in (variables | {"BRIGADE_POLL_SECONDS": "1"}).items():
            patch.setenv(key, value)
        settings = Settings()
    identity = Worker(f"{name}-here", "nowhere", version, component.policy.lease)
    ready: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    started = threading.Event()

    async def work() -> None:
        async with AsyncExitStack() as stack:
            process = await compose(stack, component, handler, identity, settings, find_fallback(component))
            ready.append((asyncio.get_running_loop(), process.stopping))
            started.set()
            await process.run()

    thread = threading.Thread(target=lambda: asyncio.run(work()), name=f"{name} worker")
    thread.start()
    try:
        assert started.wait(30)
        yield
    finally:
        for loop, stopping in ready:
            loop.call_soon_threadsafe(stopping.set)
        thread.join(40)
        assert not thread.is_alive()


def sha256(runs: dict[str, Outcome]) -> str:
    """The one forecast that both styles published."""
    found = set()
    for style, run in runs.items():
        assert (run.style, run.status, run.cause) == (style, "SUCCEEDED", None)
        assert run.published
        found.add(run.published.sha256)
    (same,) = found
    return same


def failed(fleet: Fleet, run: Outcome) -> str:
    """The cause. Nothing is published."""
    assert (run.status, run.degraded, run.published) == ("FAILED", (), None)
    for table in ("publications", "published_forecasts"):
        query = f"SELECT count(*) AS found FROM {table} WHERE run_id = %(run_id)s"
        assert fetch_all(fleet.connection, query, {"run_id": run.run_id}) == [{"found": 0}]
    assert run.cause
    return run.cause


def replaced(component: str, by: str, item: str = "-") -> Replacement:
    return Replacement(component=component, item=item, by=by, why=WHY)


@pytest.mark.usefixtures("nothing_before")
def test_what_has_a_fallback_is_replaced_by_the_past_or_by_the_last_good_result(
    fleet: Fleet, out_of_order: set[str]
) -> None:
    out_of_order.update({VOLUME, POPULARITY})
    past = fleet.both(WEDNESDAY)
    for run in past.values():
        assert set(run.degraded) == {
            replaced(VOLUME, "the boxes of the same weeks a year ago, or of the last week where nothing is that old"),
            replaced(POPULARITY, "the shares of the same weeks a year ago, or of each recipe's last week on the menu"),
        }
    out_of_order.clear()
    good = fleet.run("choreographed", LAST_FRIDAY)
    assert good.degraded == ()
    out_of_order.update({VOLUME, POPULARITY, NETWORK})
    last_good = fleet.both(WEDNESDAY)
    run_id = f"of run {good.run_id} of 20 November 2026"
    for run in last_good.values():
        assert set(run.degraded) == {
            replaced(VOLUME, f"the forecast {run_id}"),
            replaced(POPULARITY, f"the shares {run_id}"),
            replaced(NETWORK, f"its network {run_id}", "A"),
            replaced(NETWORK, f"its network {run_id}", "B"),
        }
    assert sha256(past) != sha256(last_good)


@pytest.mark.usefixtures("nothing_before")
def test_what_was_made_from_a_replacement_is_nobodys_last_good_result(fleet: Fleet, out_of_order: set[str]) -> None:
    out_of_order.add(VOLUME)
    assert fleet.run("choreographed", WEDNESDAY).degraded
    out_of_order.clear()
    friday = fleet.run("choreographed", WEDNESDAY + timedelta(days=2))
    assert friday.degraded == ()
    assert fleet.states(friday, NETWORK) == {"A": "done", "B": "done"}


@pytest.mark.parametrize("style", STYLES)
def test_what_has_none_fails_the_run_with_one_cause(fleet: Fleet, out_of_order: set[str], style: str) -> None:
    out_of_order.add(SITE)
    assert re.fullmatch(rf"site-forecast/2026-\d\d-\d\d failed: {WHY}", failed(fleet, fleet.run(style, WEDNESDAY)))


@pytest.mark.usefixtures("nothing_before")
@pytest.mark.parametrize("style", STYLES)
def test_a_network_that_can_be_neither_made_nor_replaced_says_why(
    fleet: Fleet, out_of_order: set[str], style: str
) -> None:
    out_of_order.add(NETWORK)
    expected = rf"{NETWORK}/([AB]) failed: BadData: factory \1 has no earlier network to use instead of its own: {WHY}"
    assert re.fullmatch(expected, failed(fleet, fleet.run(style, WEDNESDAY)))
