"""What must hold about a run of the supper at any time, and in the end."""

from random import Random
from typing import Any

from contracts.errors import BadData
from orchestrator.database import Connection
from services.runtime.store import Pool
from tests.behaviour.runtime.conftest import SUPPER
from tests.behaviour.runtime.squads import Orders, guests_of
from tests.behaviour.runtime.supper import OFTEN, STEPS
from tests.behaviour.runtime.world import Troubles, World, loads


class Witness:
    """Starts a run in an empty database, and watches it. The step that is `fatal` fails at every attempt."""

    def __init__(
        self,
        pool: Pool,
        connection: Connection,
        style: str,
        orders: Orders,
        version: str,
        troubles: Troubles,
        fatal: str | None,
        careless: bool,
    ) -> None:
        for table in ("bills", "attempts", "steps", "runs"):
            connection.execute(f"DELETE FROM {table}".encode())
        self.style = style
        self.orders = orders
        self.reused = {"waiter/b"} if orders.day == "quiet" else set()
        self.fatal = None if fatal in self.reused else fatal
        planned: Troubles = {key: list(errors) for key, errors in troubles.items()}
        if self.fatal:
            planned.setdefault(self.fatal, []).extend([BadData] * OFTEN)
        self.world = World(pool, SUPPER, orders, planned, careless)
        self.world.start(connection, style, cook=version)
        self.answers: dict[str, Any] = {}
        self.status = "RUNNING"

    async def check(self) -> None:
        """What holds at any time."""
        rows = await self.world.rows("SELECT component, item, state, answer FROM steps WHERE run_id = %(run_id)s")
        self._answers_stay(rows)
        self._everybody_hears_the_stored_answer()
        await self._one_attempt_at_most_is_done()
        await self._the_run_ends_once_and_publishes_then()

    async def check_end(self, order: Random) -> None:
        """What holds in the end, when nothing disturbs the run any more."""
        await self.world.drain(order)
        await self.check()
        assert self.world.sqs.visible() == self.world.sqs.hidden() == []
        assert self.world.stepfunctions.waiting == {}
        if self.fatal:
            await self._failed_with_one_cause(self.fatal)
        else:
            self._succeeded()

    def _answers_stay(self, rows: list[dict[str, Any]]) -> None:
        found = {f"{row['component']}/{row['item']}": loads(row["answer"]) for row in rows if row["answer"]}
        assert {key: found.get(key) for key in self.answers} == self.answers
        assert all(row["answer"] for row in rows if row["state"] in ("done", "reused"))
        self.answers = found

    def _everybody_hears_the_stored_answer(self) -> None:
        for key, heard in self.world.events().items():
            assert all(answer == self.answers[key] for answer in heard)
        for key, output in self.world.stepfunctions.outputs.items():
            assert output == self.answers[key]

    async def _one_attempt_at_most_is_done(self) -> None:
        """The one whose answer is stored."""
        rows = await self.world.rows(
            "SELECT component, item, attempt FROM attempts WHERE run_id = %(run_id)s AND outcome = 'done'"
        )
        done = sorted((f"{row['component']}/{row['item']}", row["attempt"]) for row in rows)
        answered = self.answers.items()
        assert done == sorted((key, answer["made_by"]) for key, answer in answered if key not in self.reused)

    async def _the_run_ends_once_and_publishes_then(self) -> None:
        status = await self.world.status()
        assert self.status in ("RUNNING", status)
        self.status = status
        bills = await self.world.rows("SELECT guest FROM bills WHERE run_id = %(run_id)s ORDER BY guest")
        assert [row["guest"] for row in bills] == (guests_of(self.orders) if status == "SUCCEEDED" else [])

    def _succeeded(self) -> None:
        assert self.status == "SUCCEEDED"
        assert self.answers.keys() == set(STEPS)
        assert self.world.sqs.visible(dead=True) == []
        if self.style == "orchestrated":
            assert self.world.stepfunctions.status == "SUCCEEDED"
            assert self.world.stepfunctions.outputs == self.answers
        else:
            assert self.world.events().keys() == set(STEPS) - self.reused

    async def _failed_with_one_cause(self, fatal: str) -> None:
        (run,) = await self.world.rows("SELECT status, cause FROM runs WHERE run_id = %(run_id)s")
        assert run["status"] == "FAILED"
        assert run["cause"].startswith(f"{fatal} failed")
        assert run["cause"].endswith("BadData: a test's own trouble")
        assert len(self.world.sqs.visible(dead=True)) <= 1
        if self.style == "orchestrated":
            assert self.world.stepfunctions.status == "FAILED"
