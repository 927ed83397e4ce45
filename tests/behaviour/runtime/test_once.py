"""One cause starts one run, whoever asks and whatever crashes: idempotency keys and schedules, with real workers."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from botocore.exceptions import EndpointConnectionError

from contracts.errors import BadRequest, TransientError
from contracts.schedule import Schedule
from orchestrator import start
from orchestrator.database import connect
from orchestrator.once import Asked, KeyReused, Once, start_once
from orchestrator.overdue import fail_overdue
from orchestrator.scheduled import due, start_due
from orchestrator.stop import stop_run
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.squads import TODAY

STYLES = ("orchestrated", "choreographed")

pytestmark = pytest.mark.usefixtures("no_patience", "no_runs")


def asked(floor: Floor, style: str = "choreographed", seed: int = 1) -> Asked:
    return Asked(floor.pipeline, style, TODAY, {}, seed)


def ask(floor: Floor, cause: str, wanted: Asked) -> Once:
    return start_once(floor.aws, floor.connection, floor.deployment, cause, wanted)


def runs(floor: Floor) -> list[str]:
    return [row["run_id"] for row in floor.rows("SELECT run_id FROM runs ORDER BY started_at")]


def sent(floor: Floor) -> list[str]:
    """The first commands of these runs. Executions of earlier tests, that nobody has stopped, send theirs, too."""
    return [body for body in floor.take("host") if any(run_id in body for run_id in runs(floor))]


def at_once(floor: Floor, count: int, what: Callable[[Floor], object]) -> list[object]:
    """As many replicas, each with a connection of its own, in the same moment."""

    def replica(_: int) -> object:
        with connect(floor.database_url) as connection:
            return what(replace(floor, connection=connection))

    with ThreadPoolExecutor(count) as replicas:
        return list(replicas.map(replica, range(count)))


@pytest.mark.parametrize("style", STYLES)
async def test_one_key_starts_one_run(snack_bar: Floor, style: str) -> None:
    found = await asyncio.to_thread(at_once, snack_bar, 4, lambda floor: ask(floor, "k1", asked(floor, style)))
    (run_id,) = runs(snack_bar)
    assert sorted(found, key=lambda once: once.repeated) == [Once(run_id, False), *[Once(run_id, True)] * 3]  # type: ignore[attr-defined] # at_once knows no types
    assert ask(snack_bar, "k2", asked(snack_bar, style)).run_id != run_id
    if style == "choreographed":
        assert len(sent(snack_bar)) == 2


async def test_a_key_is_for_what_it_was_first_used_for(snack_bar: Floor) -> None:
    run_id = ask(snack_bar, "k1", asked(snack_bar)).run_id
    with pytest.raises(KeyReused, match=f"has started {run_id}, which was asked for in other words: take a new key"):
        ask(snack_bar, "k1", asked(snack_bar, seed=2))
    assert runs(snack_bar) == [run_id]


async def test_what_is_asked_wrongly_uses_up_no_key(snack_bar: Floor) -> None:
    with pytest.raises(BadRequest, match="unknown style"):
        ask(snack_bar, "k1", asked(snack_bar, "improvised"))
    assert not ask(snack_bar, "k1", asked(snack_bar)).repeated


class Crash(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("moment", ["before it is sent", "after it is sent"])
async def test_who_crashes_is_made_up_for_by_the_next_who_asks(snack_bar: Floor, style: str, moment: str) -> None:
    name = "start_execution" if style == "orchestrated" else "send_first_command"
    send = getattr(start, name)

    def crashing(*arguments: object) -> None:
        if moment == "after it is sent":
            send(*arguments)
        raise Crash

    with mock.patch.object(start, name, crashing), pytest.raises(Crash):
        ask(snack_bar, "k1", asked(snack_bar, style))
    (run_id,) = runs(snack_bar)
    assert ask(snack_bar, "k1", asked(snack_bar, style)) == Once(run_id, repeated=True)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert run["status"] == "SUCCEEDED"
    assert snack_bar.attempts(run_id, "host") == [("-", 1, "done", None)]


async def test_a_start_that_failed_is_tried_again(snack_bar: Floor) -> None:
    """A redrive of the same run, until it was sent once."""
    with mock.patch.object(snack_bar.aws.sqs, "send_message", side_effect=no_answer()), pytest.raises(TransientError):
        ask(snack_bar, "k1", asked(snack_bar))
    (run_id,) = runs(snack_bar)
    assert ask(snack_bar, "k1", asked(snack_bar)) == Once(run_id, repeated=True)
    assert len(sent(snack_bar)) == 1
    ask(snack_bar, "k1", asked(snack_bar))
    assert sent(snack_bar) == []


def no_answer() -> Exception:
    return EndpointConnectionError(endpoint_url="http://nowhere")


async def test_a_run_that_was_stopped_stays_stopped(snack_bar: Floor) -> None:
    run_id = ask(snack_bar, "k1", asked(snack_bar)).run_id
    stop_run(snack_bar.aws, snack_bar.connection, run_id)
    snack_bar.connection.execute("UPDATE starts SET sent_at = NULL")
    assert ask(snack_bar, "k1", asked(snack_bar)) == Once(run_id, repeated=True)
    assert snack_bar.rows("SELECT status FROM runs") == [{"status": "FAILED"}]


@pytest.fixture
def daily(snack_bar: Floor) -> Iterator[Floor]:
    """Its schedule's latest time was three hours ago."""
    time = datetime.now(UTC) - timedelta(hours=3)
    schedule = Schedule(f"cron({time.minute} {time.hour} * * ? *)")
    yield replace(snack_bar, pipeline=replace(snack_bar.pipeline, schedule=schedule))
    snack_bar.connection.execute("TRUNCATE schedules")


def tick(floor: Floor) -> list[str]:
    return start_due(floor.aws, floor.connection, lambda: floor.deployment, (floor.pipeline,), "orchestrated")


def known_for(floor: Floor, hours: float) -> None:
    assert due(floor.connection, floor.pipeline) is None
    floor.connection.execute("UPDATE schedules SET since = now() - make_interval(secs => %s)", (hours * 3600,))


async def test_replicas_start_what_was_missed_once(daily: Floor) -> None:
    known_for(daily, hours=24)
    time = due(daily.connection, daily.pipeline)
    assert time is not None
    started = await asyncio.to_thread(at_once, daily, 3, tick)
    (run_id,) = runs(daily)
    assert sorted(started, key=str) == [[run_id], [], []]
    assert tick(daily) == []
    (run,) = daily.rows("SELECT date, style FROM runs")
    assert run == {"date": time.date(), "style": "orchestrated"}
    assert daily.rows("SELECT cause FROM starts") == [{"cause": f"schedule snack {time:%Y-%m-%dT%H:%MZ}"}]


async def test_a_schedule_counts_from_when_it_is_first_seen(daily: Floor) -> None:
    assert tick(daily) == []
    assert tick(daily) == []
    known_for(daily, hours=2)
    assert tick(daily) == []
    assert runs(daily) == []


async def test_what_was_missed_too_long_ago_is_not_made_up_for(daily: Floor) -> None:
    time = datetime.now(UTC) - timedelta(hours=7)
    schedule = Schedule(f"cron({time.minute} {time.hour} * * ? *)")
    late = replace(daily, pipeline=replace(daily.pipeline, schedule=schedule))
    known_for(late, hours=24)
    assert tick(late) == []


async def test_a_scheduled_start_that_failed_is_tried_again(daily: Floor) -> None:
    known_for(daily, hours=24)
    refusing = mock.patch.object(daily.aws.stepfunctions, "start_execution", side_effect=no_answer())
    with refusing, pytest.raises(TransientError):
        tick(daily)
    tick(daily)
    assert daily.rows("SELECT status, generation FROM runs") == [{"status": "RUNNING", "generation": 2}]


async def test_a_pipeline_without_a_schedule_is_never_due(snack_bar: Floor) -> None:
    assert tick(snack_bar) == []
    assert snack_bar.rows("SELECT * FROM schedules") == []


async def test_an_overdue_run_fails_where_no_worker_lives(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    snack_bar.connection.execute("UPDATE runs SET deadline = now() - interval '59 seconds'")
    assert fail_overdue(snack_bar.connection) == []
    snack_bar.connection.execute("UPDATE runs SET deadline = now() - interval '61 seconds'")
    assert fail_overdue(snack_bar.connection) == [run_id]
    assert fail_overdue(snack_bar.connection) == []
    run = await snack_bar.ended(run_id)
    assert (run["status"], run["cause"]) == ("FAILED", "the deadline has passed; missing: host/- (ready)")
