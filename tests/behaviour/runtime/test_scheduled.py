"""Each component on its own clock: what it reads, what follows from it, and what nobody notices."""

import json
from functools import partial
from typing import Any

import pytest

from contracts.errors import BadData, BadRequest
from orchestrator.clocks import start_scheduled, strike
from orchestrator.database import Connection
from orchestrator.history import list_runs
from orchestrator.redrive import redrive_run, unfinished_runs
from tests.behaviour.runtime.conftest import PIPELINES, SUPPER, MakeWorld
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.squads import TODAY, YESTERDAY, Orders, guests_of
from tests.behaviour.runtime.world import Troubles, World, loads

CLOCKS = ("chopper", "cook", "saucier", "sommelier", "waiter", "cashier")
"""After the host's, in the order in which they strike."""


async def day(world: World, connection: Connection, *, without: tuple[str, ...] = (), **asked: Any) -> str:
    """A scheduled run. Those named are down until the next: their messages wait in their queues."""
    world.start_clocks(connection, **asked)
    await receive(world, without)
    for name in CLOCKS:
        world.strike(name)
        await receive(world, without)
    return world.run_id


async def receive(world: World, without: tuple[str, ...] = ()) -> None:
    """All messages, and those that they cause, but what belongs to who is down."""
    while letters := [letter for letter in world.sqs.visible() if letter.url.partition("/")[0] not in without]:
        await world.deliver(letters[0], "one")


def scheduled(pool: Any, troubles: Troubles | None = None, orders: Orders | None = None) -> World:
    return World(pool, SUPPER, orders or Orders(), troubles or {})


async def test_each_reads_what_the_one_before_has_left_and_nothing_triggers_it(
    pool: Any, connection: Connection, quick: None
) -> None:
    world = scheduled(pool)
    world.start_clocks(connection)
    await receive(world)
    assert await world.states("chopper") == {"pie": "waiting", "soup": "waiting"}
    assert world.sns.published == []
    for name in CLOCKS:
        world.strike(name)
        await receive(world)
    assert await world.status() == "SUCCEEDED"
    assert world.events().keys() == {"cashier/-"}, "what is announced to readers outside still is"
    rows = await world.rows(
        "SELECT component, inputs_from FROM steps WHERE run_id = %(run_id)s AND component <> 'host'"
    )
    assert {from_run for row in rows for from_run in row["inputs_from"].values()} == {world.run_id}
    bills = await world.rows("SELECT guest FROM bills WHERE run_id = %(run_id)s ORDER BY guest")
    assert [bill["guest"] for bill in bills] == guests_of(Orders())


async def test_a_component_that_is_down_longer_than_the_buffer_leaves_stale_results_behind_and_all_looks_well(
    pool: Any, connection: Connection, quick: None
) -> None:
    world = scheduled(pool)
    first = await day(world, connection, day=YESTERDAY)
    second = await day(world, connection, without=("cook",))
    assert await world.status() == "SUCCEEDED"
    assert list_runs(connection, 1)[0]["cause"] is None
    read = {
        row["component"]: {key: run for key, run in row["inputs_from"].items() if run != second}
        for row in await world.rows(
            "SELECT component, inputs_from FROM steps WHERE run_id = %(run_id)s AND item IN ('-', 'a')"
        )
        if row["inputs_from"]
    }
    assert read["saucier"] == {"cook/pie": first, "cook/soup": first}
    assert read["cashier"] == {}, "what it reads is of today: that it was made from yesterday's cannot be seen there"


async def test_what_comes_late_is_run_and_wanted_by_nobody(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool)
    await day(world, connection, day=YESTERDAY)
    await day(world, connection, without=("cook",))
    await receive(world)
    assert world.sqs.visible() == world.sqs.hidden() == []
    assert set((await world.states("cook")).values()) == {"waiting"}, "the run had published by then"


async def test_a_step_that_fails_for_good_stops_nobody_behind_it(
    pool: Any, connection: Connection, quick: None
) -> None:
    world = scheduled(pool)
    first = await day(world, connection, day=YESTERDAY)
    world.troubles["saucier/-"] = [BadData]
    await day(world, connection)
    assert await world.states("saucier") == {"-": "failed"}
    assert await world.status() == "SUCCEEDED"
    (row,) = await world.rows(
        "SELECT inputs_from FROM steps WHERE run_id = %(run_id)s AND component = 'waiter' AND item = 'a'"
    )
    assert row["inputs_from"]["saucier/-"] == first
    assert [letter.url for letter in world.sqs.visible(dead=True)] == ["saucier/v1/dead"]


async def test_the_last_one_that_fails_fails_the_run(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool, {"cashier/-": [BadData]})
    await day(world, connection)
    assert await world.status() == "FAILED"
    assert list_runs(connection, 1)[0]["cause"] == "cashier/- failed: BadData: a test's own trouble"


async def test_who_finds_nothing_fails_at_once_and_says_what_is_missing(
    pool: Any, connection: Connection, quick: None
) -> None:
    """The first run of all: there is no earlier result, and waiting would be a join."""
    world = scheduled(pool)
    await day(world, connection, without=("cook",))
    assert await world.states("saucier") == {"-": "failed"}
    assert await world.status() == "FAILED"
    assert list_runs(connection, 1)[0]["cause"] == (
        "cashier/- failed: NothingToRead: cashier was started by its clock and found no result of waiter/a, waiter/b, of this "
        "run or any before: let what it takes finish once, or give it more time to"
    )
    errors = await world.rows(
        "SELECT component, error, cause FROM attempts WHERE run_id = %(run_id)s AND outcome = 'failed'"
    )
    assert {row["component"]: row["error"] for row in errors} == dict.fromkeys(
        ("saucier", "waiter", "cashier"), "NothingToRead"
    )
    assert "cook/pie, cook/soup" in next(row["cause"] for row in errors if row["component"] == "saucier")


async def test_without_any_plan_a_clock_finds_nothing(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool)
    await day(world, connection, without=("host",))
    assert await world.status() == "FAILED"
    (row,) = await world.rows("SELECT cause FROM attempts WHERE run_id = %(run_id)s AND component = 'chopper'")
    assert row["cause"].startswith("chopper was started by its clock and found no result of host/-")


async def test_a_clock_that_strikes_twice_starts_nothing_twice(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool)
    world.start_clocks(connection)
    await receive(world)
    for name in CLOCKS:
        world.strike(name)
        world.strike(name)
        await receive(world)
    rows = await world.rows("SELECT component, item, attempt FROM steps WHERE run_id = %(run_id)s")
    assert {row["attempt"] for row in rows} == {1}
    assert await world.status() == "SUCCEEDED"


async def test_a_late_plan_finds_the_steps_that_were_started_on_the_last_one(
    pool: Any, connection: Connection, quick: None
) -> None:
    world = scheduled(pool)
    first = await day(world, connection, day=YESTERDAY)
    world.start_clocks(connection)
    world.strike("chopper")
    await receive(world, without=("host",))
    (row, *_) = await world.rows("SELECT inputs_from FROM steps WHERE run_id = %(run_id)s AND component = 'chopper'")
    assert row["inputs_from"] == {"host/-": first}
    await receive(world)
    assert await world.states("chopper") == {"pie": "done", "soup": "done"}
    assert await world.states("cook") == {"pie": "waiting", "soup": "waiting"}


async def test_runs_of_other_styles_neither_read_nor_leave_anything(
    pool: Any, connection: Connection, quick: None, new_world: MakeWorld
) -> None:
    other = new_world("choreographed")
    await receive(other)
    assert await other.status() == "SUCCEEDED"
    world = scheduled(pool)
    await day(world, connection, without=("cook",))
    assert await world.states("saucier") == {"-": "failed"}, "the other's results are not read"


async def test_a_clock_does_not_go_back(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool, {"cashier/-": [BadData]})
    failed = await day(world, connection)
    nothing: Any = None
    with pytest.raises(BadRequest, match="was started by clocks, which do not go back"):
        redrive_run(nothing, connection, nothing, failed)
    world.start_clocks(connection)
    assert unfinished_runs(connection) == [], "neither the one under way"


async def test_two_last_components_end_the_run_together(pool: Any, connection: Connection, quick: None) -> None:
    world = World(pool, PIPELINES["two-ends"], Orders(), {})
    world.start_clocks(connection)
    await receive(world)
    for name, status in {"sommelier": "RUNNING", "scullion": "SUCCEEDED"}.items():
        world.strike(name)
        await receive(world)
        assert await world.status() == status


async def test_a_tick_for_a_run_of_another_style_is_poison(
    pool: Any, connection: Connection, quick: None, new_world: MakeWorld
) -> None:
    world = new_world("choreographed")
    (command,) = world.sqs.visible()
    ticking = loads(command.body) | {"id": f"{world.run_id}/cook/-", "type": "tick.v1", "data": {}}
    styled = loads(command.body) | {"style": "scheduled"}
    for url, body in {"cook/v1": ticking, "host/v1": styled}.items():
        await world.deliver(world.sqs.put(url, json.dumps(body)), "one")
    assert sorted(letter.url for letter in world.sqs.visible(dead=True)) == ["cook/v1/dead", "host/v1/dead"]
    await receive(world)
    assert await world.status() == "SUCCEEDED"


async def test_the_style_is_a_property_of_the_message(pool: Any, connection: Connection, quick: None) -> None:
    world = scheduled(pool)
    world.start_clocks(connection)
    (letter,) = world.sqs.visible()
    assert json.loads(letter.body)["style"] == "scheduled"
    await receive(world)
    world.strike("chopper")
    (tick,) = world.sqs.visible()
    await world.deliver(tick, "one")
    assert {json.loads(command.body)["style"] for command in world.sqs.visible()} == {"scheduled"}
    assert loads(tick.body)["type"] == "tick.v1"


async def test_on_real_queues_an_outage_longer_than_the_buffer_is_published_as_if_nothing_was(
    snack_bar: Floor, no_runs: None
) -> None:
    """The chopper is down when its clock strikes; the server's strikes all the same."""
    runs = []
    for present in (("host", "chopper", "server"), ("host", "server")):
        request = start_scheduled(snack_bar.aws, snack_bar.connection, snack_bar.deployment, snack_bar.pipeline, TODAY)
        runs.append(request.run_id)
        async with snack_bar.working(*present):
            await snack_bar.until(lambda: answered(snack_bar, runs[-1], "host"))
            for name in ("chopper", "server"):
                strike(snack_bar.aws, snack_bar.deployment, snack_bar.component(name), request)
                if name in present:
                    await snack_bar.until(partial(answered, snack_bar, runs[-1], name))
    query = "SELECT status, cause FROM runs WHERE run_id = ANY (%(runs)s)"
    assert [tuple(row.values()) for row in snack_bar.rows(query, runs=runs)] == [("SUCCEEDED", None)] * 2
    query = "SELECT inputs_from FROM steps WHERE run_id = %(run_id)s AND component = 'server'"
    (row,) = snack_bar.rows(query, run_id=runs[1])
    assert row["inputs_from"] == {"host/-": runs[1], "chopper/pie": runs[0], "chopper/soup": runs[0]}


def answered(floor: Floor, run_id: str, name: str) -> bool:
    query = "SELECT state FROM steps WHERE run_id = %(run_id)s AND component = %(component)s"
    return {row["state"] for row in floor.rows(query, run_id=run_id, component=name)} == {"done"}
