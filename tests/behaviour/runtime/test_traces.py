"""What a collector gets of runs in both styles, and that no run depends on it."""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any

import pytest

from contracts.component import Policy
from contracts.errors import TransientError
from contracts.message import Event
from orchestrator.database import Connection
from services.runtime import tracing
from services.runtime.context import Context
from tests.behaviour.runtime.floor import Floor, open_floor
from tests.behaviour.runtime.redriving import failed_run, redrive
from tests.behaviour.runtime.squads import Orders, fallbacks, handlers
from tests.behaviour.runtime.supper import HASTY, supper, tasting
from tests.behaviour.runtime.world import World
from tests.support.collector import Collector, Seen, hanging, refusing

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)


@pytest.fixture
def table(connection: Connection, url: str, aws: str) -> Floor:
    floor = open_floor(connection, url, tasting(HASTY), handlers(Orders()))
    floor.fallbacks = fallbacks()
    return floor


def trace_of(floor: Floor, run_id: str) -> list[str]:
    """Trace id and span id in the run's traceparent."""
    (run,) = floor.rows("SELECT traceparent FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    return str(run["traceparent"]).split("-")[1:3]


def told(span: Seen) -> tuple[Any, ...]:
    about = span.attributes
    return (
        span.service,
        *(about.get(f"brigade.{name}") for name in ("item", "attempt", "mode")),
        about.get("error.type"),
    )


def kept(floor: Floor, run_id: str) -> Counter[tuple[Any, ...]]:
    """The attempts of the run, as spans tell them."""
    query = "SELECT component, item, attempt, mode, error FROM attempts WHERE run_id = %(run_id)s"
    return Counter(tuple(row.values()) for row in floor.rows(query, run_id=run_id))


def check_tree(floor: Floor, run_id: str, spans: list[Seen]) -> None:
    """One trace, one root, a span for each attempt and below the root: no orphan, none twice."""
    trace, root_id = trace_of(floor, run_id)
    assert {span.trace for span in spans} == {trace}
    assert len({span.id for span in spans}) == len(spans)
    (root,) = [span for span in spans if not span.parent]
    assert (root.id, root.name, root.service) == (root_id, f"start {floor.pipeline.name}", floor.pipeline.name)
    below = [span for span in spans if span is not root]
    assert {span.parent for span in below} == {root_id}
    assert {span.name for span in below} == {f"process {span.service}" for span in below}
    assert Counter(map(told, below)) == kept(floor, run_id)
    assert all(span.start <= span.end for span in spans)


@pytest.mark.usefixtures("aws")
async def test_a_run_is_one_tree_in_either_style(connection: Connection, url: str, collector: Collector) -> None:
    floor = open_floor(connection, url, supper(Policy()), handlers(Orders("quiet")))
    async with floor.working():
        runs = {style: floor.start(style, cook="v2") for style in STYLES}
        for run_id in runs.values():
            assert (await floor.ended(run_id))["status"] == "SUCCEEDED"
        await floor.settled()
    for style, run_id in runs.items():
        spans = collector.of(run_id)
        check_tree(floor, run_id, spans)
        (root,) = [span for span in spans if not span.parent]
        assert root.attributes == {"brigade.run": run_id, "brigade.pipeline": "supper", "brigade.style": style}
        (last,) = [span for span in spans if span.service == "cashier"]
        assert last.attributes == {
            "messaging.system": "aws_sqs",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": "floor-cashier",
            "brigade.run": run_id,
            "brigade.item": "-",
            "brigade.attempt": 1,
            "brigade.mode": "normal",
            "brigade.run.status": "SUCCEEDED",
        }


@both_styles
async def test_failures_and_the_fallback_are_told(table: Floor, collector: Collector, style: str) -> None:
    def locked(inputs: Any, ctx: Context) -> Event:
        raise TransientError("the cellar is locked")

    table.handlers["sommelier"] = locked
    run_id = table.start(style)
    async with table.working():
        assert (await table.ended(run_id))["degraded"]
        await table.settled()
    spans = collector.of(run_id)
    check_tree(table, run_id, spans)
    attempts = sorted(
        (span for span in spans if span.service == "sommelier"), key=lambda span: span.attributes["brigade.attempt"]
    )
    assert [span.error for span in attempts] == ["the cellar is locked"] * 3 + [""]
    assert [span.events for span in attempts[:3]] == [()] * 3
    assert attempts[3].events == (("fallback", {"brigade.failure": "TransientError: the cellar is locked"}),)
    (last,) = [span for span in spans if span.service == "taster"]
    assert last.attributes["brigade.run.status"] == "DEGRADED"


@pytest.mark.usefixtures("no_patience", "no_runs")
@pytest.mark.parametrize(("style", "again"), [STYLES, STYLES[::-1]])
async def test_a_redrive_goes_on_in_the_same_tree(
    snack_bar: Floor, collector: Collector, style: str, again: str
) -> None:
    run_id = await failed_run(snack_bar, style)
    redrive(snack_bar, run_id, again)
    async with snack_bar.working():
        assert (await snack_bar.ended(run_id))["status"] == "SUCCEEDED"
        await snack_bar.settled()
    spans = collector.of(run_id)
    check_tree(snack_bar, run_id, spans)
    statuses = [status for span in spans if (status := span.attributes.get("brigade.run.status"))]
    assert sorted(statuses) == ["FAILED", "SUCCEEDED"]


@pytest.mark.parametrize("dead", [refusing, hanging])
async def test_no_run_waits_for_a_dead_collector(
    snack_bar: Floor, monkeypatch: pytest.MonkeyPatch, dead: Callable[[], AbstractContextManager[str]]
) -> None:
    """Neither its steps nor, for longer than a moment, its workers' end: each export is tried for a minute."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")  # it is asked while the run is under way
    with dead() as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)
        run_id = snack_bar.start("choreographed")
        async with snack_bar.working():
            run = await snack_bar.ended(run_id)
            await snack_bar.settled()
            ended = time.monotonic()
        stopped = time.monotonic()
    assert (run["status"], run["cause"]) == ("SUCCEEDED", None)
    assert stopped - ended < 3 * tracing.CLOSING + 10  # the workers of this process close one after the other


async def messages_of(floor: Floor, run_id: str) -> list[dict[str, Any]]:
    """Every command that the run's execution has sent, as Step Functions remembers it."""
    execution = floor.execution(run_id)["executionArn"]
    history = floor.aws.stepfunctions.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    asked = [
        json.loads(e["taskScheduledEventDetails"]["parameters"]) for e in history if "taskScheduledEventDetails" in e
    ]
    return [body if isinstance(body := each["MessageBody"], dict) else json.loads(body) for each in asked]


async def test_every_command_of_an_execution_carries_the_runs_traceparent(table: Floor) -> None:
    def locked(inputs: Any, ctx: Context) -> Event:
        raise TransientError("the cellar is locked")

    table.handlers["sommelier"] = locked
    run_id = table.start("orchestrated")
    async with table.working():
        await table.ended(run_id)
        await table.until(lambda: table.finished_execution(run_id))
    sent = await messages_of(table, run_id)
    assert Counter(body["id"].split("/")[1] for body in sent) == {"host": 1, "chopper": 2, "sommelier": 4, "taster": 1}
    assert [body.get("mode") for body in sent].count("fallback") == 1
    assert [body["traceparent"].split("-")[1:3] for body in sent] == [trace_of(table, run_id)] * 8


@pytest.mark.usefixtures("no_patience", "no_runs")
@both_styles
async def test_a_redrive_sends_the_runs_traceparent(snack_bar: Floor, style: str) -> None:
    run_id = await failed_run(snack_bar, style)
    redrive(snack_bar, run_id, "choreographed")
    (pie,) = await snack_bar.until(lambda: snack_bar.take("chopper"))
    redrive(snack_bar, run_id, "orchestrated")
    await snack_bar.until(lambda: snack_bar.waiting("host"))
    (host,) = snack_bar.take("host")
    assert [json.loads(body)["traceparent"].split("-")[1:3] for body in (pie, host)] == [
        trace_of(snack_bar, run_id)
    ] * 2


@pytest.mark.parametrize("seed", range(5))
async def test_every_message_of_a_choreographed_run_carries_its_traceparent(
    new_world: Callable[..., World], seed: int
) -> None:
    """Events, the commands of fan-outs and those that sweeps send again, whatever happens on the way."""
    world = new_world()
    order = Random(seed)
    for _ in range(10):
        await world.stir(order, 6)
        await world.sweep_late(order.randrange(100))
    await world.drain(order)
    (run,) = await world.rows("SELECT traceparent FROM runs WHERE run_id = %(run_id)s")
    bodies = [json.loads(letter.body) for letter in world.sqs.letters] + world.sns.published
    assert {body["id"].split("/")[1] for body in bodies} == {c.name for c in world.pipeline.components}
    assert {body["traceparent"] for body in bodies} == {run["traceparent"]}
    assert {"chop-dish.v1", "serve-table.v1"} <= {body["type"] for body in bodies}
