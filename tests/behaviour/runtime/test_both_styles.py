"""Real workers, real queues: the supper from start to end, in both styles."""

import asyncio

import pytest

from contracts.component import Policy
from orchestrator.database import Connection
from tests.behaviour.runtime.floor import open_floor
from tests.behaviour.runtime.squads import Orders, guests_of, handlers
from tests.behaviour.runtime.supper import STEPS, supper

STYLES = ("orchestrated", "choreographed")


@pytest.mark.usefixtures("aws")
async def test_one_fleet_serves_both_styles_at_the_same_time(connection: Connection, url: str) -> None:
    orders = Orders("quiet")
    floor = open_floor(connection, url, supper(Policy()), handlers(orders))
    async with floor.working():
        runs = {style: floor.start(style, cook="v2") for style in STYLES}
        ended = await asyncio.gather(*(floor.ended(run_id) for run_id in runs.values()))
        await floor.settled()
    assert [(run["status"], run["cause"]) for run in ended] == [("SUCCEEDED", None)] * 2
    for run_id in runs.values():
        steps = floor.rows(
            "SELECT component, item, state, attempt, version FROM steps WHERE run_id = %(run_id)s", run_id=run_id
        )
        assert {f"{step['component']}/{step['item']}" for step in steps} == set(STEPS)
        assert {step["attempt"] for step in steps if step["state"] == "done"} == {1}
        assert [step["item"] for step in steps if step["state"] == "reused"] == ["b"]
        assert {step["version"] for step in steps if step["component"] == "cook"} == {"v2"}
        bills = floor.rows("SELECT guest FROM bills WHERE run_id = %(run_id)s ORDER BY guest", run_id=run_id)
        assert [bill["guest"] for bill in bills] == guests_of(orders)
    await floor.until(lambda: floor.execution(runs["orchestrated"])["status"] == "SUCCEEDED")
    assert [floor.dead_letters(component.name) for component in floor.pipeline.components] == [[]] * 7
