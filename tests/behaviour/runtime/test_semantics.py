"""One run under everything that can happen to it: deliveries in any order, repeated, on two workers, crashing, failing or
stopped after any await, leases and visibility that run out, lost answers. Real PostgreSQL; see world.py for what is faked.
"""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.errors import (
    BadData,
    BrigadeError,
    ResourcePending,
    TransientError,
)
from orchestrator.database import Connection
from services.runtime.store import Pool
from tests.behaviour.runtime.conftest import SUPPER
from tests.behaviour.runtime.fakes import Letter
from tests.behaviour.runtime.gates import Fate, gated_pool
from tests.behaviour.runtime.supper import OFTEN, STEPS, Orders, guests_of
from tests.behaviour.runtime.world import Course, Troubles, World, loads

PICKS = st.integers(0, 99)
QUEUES = st.sampled_from(
    [f"{component.name}/{version}" for component in SUPPER.components for version in component.versions]
)
SEEDS = st.integers(0, 2**32)
GATES = st.integers(0, 24)
FATES: st.SearchStrategy[Fate] = st.sampled_from(("finish", "finish", "pause", "kill", "fail", "cancel"))
WORKERS = st.sampled_from(("one", "two"))


SETTINGS = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


class Semantics(RuleBasedStateMachine):
    style: ClassVar[str]
    runner: ClassVar[asyncio.Runner]
    pool: ClassVar[Pool]
    connection: ClassVar[Connection]

    world: World
    fatal: str | None
    orders: Orders

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(
        quiet=st.booleans(),
        version=st.sampled_from(("v1", "v2")),
        troubles=st.dictionaries(
            st.sampled_from(STEPS), st.lists(st.sampled_from((TransientError, ResourcePending)), max_size=2), max_size=2
        ),
        fatal=st.none() | st.none() | st.none() | st.sampled_from(STEPS),
        seed=SEEDS,
        careless=st.booleans(),
    )
    def start(
        self,
        quiet: bool,
        version: str,
        troubles: dict[str, list[type[BrigadeError]]],
        fatal: str | None,
        seed: int,
        careless: bool,
    ) -> None:
        self.orders = Orders("quiet" if quiet else "busy")
        self.fatal = None if quiet and fatal == "waiter/b" else fatal
        for table in ("bills", "attempts", "steps", "runs"):
            self.connection.execute(f"DELETE FROM {table}".encode())
        planned: Troubles = {key: list(errors) for key, errors in troubles.items()}
        if self.fatal:
            planned.setdefault(self.fatal, []).extend([BadData] * OFTEN)
        self.world = World(self.pool, SUPPER, self.orders, planned, careless)
        self.world.start(self.connection, self.style, cook=version)
        self.answers: dict[str, Any] = {}
        self.order = Random(seed)
        self.status = "RUNNING"

    # Messages

    @precondition(lambda self: self.world.sqs.visible())
    @rule(url=QUEUES, pick=PICKS, worker=WORKERS, gates=GATES, fate=FATES)
    def deliver(self, url: str, pick: int, worker: str, gates: int, fate: Fate) -> None:
        self.do(self.world.deliver(self._visible(url, pick), worker, gates, fate))

    @precondition(lambda self: self.world.sqs.visible())
    @rule(url=QUEUES, pick=PICKS, times=st.integers(1, 4))
    def deliver_some(self, url: str, pick: int, times: int) -> None:
        for _ in range(times):
            if self.world.sqs.visible():
                self.do(self.world.deliver(self._visible(url, pick), "one"))

    @rule(seed=SEEDS, times=st.integers(1, 60))
    def stir(self, seed: int, times: int) -> None:
        self.do(self.world.stir(Random(seed), times))

    @precondition(lambda self: self.world.under_way)
    @rule(pick=PICKS, gates=GATES, fate=FATES)
    def resume(self, pick: int, gates: int, fate: Fate) -> None:
        self.do(self.world.resume(self._under_way(pick), gates, fate))

    @precondition(lambda self: self.world.sqs.hidden())
    @rule(pick=PICKS)
    def visibility_runs_out(self, pick: int) -> None:
        hidden = self.world.sqs.hidden()
        hidden[pick % len(hidden)].visible = True

    @precondition(lambda self: self.world.sqs.letters)
    @rule(pick=PICKS)
    def message_comes_again(self, pick: int) -> None:
        """Also one that was deleted: SQS may have kept a copy."""
        letters = [letter for letter in self.world.sqs.letters if not letter.url.endswith("/dead")]
        letter = letters[pick % len(letters)]
        self.world.sqs.put(letter.url, letter.body, letter.token)

    @rule(times=st.integers(1, 4))
    def deletes_fail(self, times: int) -> None:
        self.world.sqs.refused_deletes = times

    # Leases, tokens, sweeps

    @rule(pick=PICKS)
    def lease_runs_out(self, pick: int) -> None:
        self.do(
            self.world.rows(
                """
                UPDATE steps SET lease_until = now() - interval '1 second'
                WHERE run_id = %(run_id)s AND state = 'claimed' AND position %% 3 = %(pick)s %% 3
                """,
                pick=pick,
            )
        )

    @precondition(lambda self: self.world.under_way)
    @rule(pick=PICKS)
    def owner_renews(self, pick: int) -> None:
        self.do(self.world.renew(self._under_way(pick)))

    @precondition(lambda self: self.world.stepfunctions.waiting)
    @rule(pick=PICKS)
    def callback_times_out(self, pick: int) -> None:
        tokens = list(self.world.stepfunctions.waiting)
        self.world.stepfunctions.time_out(tokens[pick % len(tokens)])

    @precondition(lambda self: self.style == "orchestrated")
    @rule()
    def answer_gets_lost(self) -> None:
        self.world.stepfunctions.lose_next_answer = True

    @rule(pick=PICKS)
    def sweep(self, pick: int) -> None:
        self.do(self.world.sweep_late(pick))

    def _visible(self, url: str, pick: int) -> Letter:
        """A message of this queue, if it has any: one that is picked among all tends to be of a fan-out."""
        visible = self.world.sqs.visible()
        letters = [letter for letter in visible if letter.url == url] or visible
        return letters[pick % len(letters)]

    def _under_way(self, pick: int) -> Course:
        return self.world.under_way[pick % len(self.world.under_way)]

    # What always holds

    @invariant()
    def what_holds_at_any_time(self) -> None:
        rows = self.do(self.world.rows("SELECT component, item, state, answer FROM steps WHERE run_id = %(run_id)s"))
        self._answers_stay(rows)
        self._everybody_hears_the_stored_answer()
        self._one_attempt_at_most_is_done()
        self._the_run_ends_once_and_publishes_then()

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

    def _one_attempt_at_most_is_done(self) -> None:
        """The one whose answer is stored."""
        query = "SELECT component, item, attempt FROM attempts WHERE run_id = %(run_id)s AND outcome = 'done'"
        rows = self.do(self.world.rows(query))
        done = sorted((f"{row['component']}/{row['item']}", row["attempt"]) for row in rows)
        reused = {"waiter/b"} if self.orders.day == "quiet" else set()
        assert done == sorted((key, answer["made_by"]) for key, answer in self.answers.items() if key not in reused)

    def _the_run_ends_once_and_publishes_then(self) -> None:
        status = self.do(self.world.status())
        assert self.status in ("RUNNING", status)
        self.status = status
        bills = self.do(self.world.rows("SELECT guest FROM bills WHERE run_id = %(run_id)s ORDER BY guest"))
        assert [row["guest"] for row in bills] == (guests_of(self.orders) if status == "SUCCEEDED" else [])

    # What holds in the end

    def teardown(self) -> None:
        if not hasattr(self, "answers"):
            return
        self.do(self.world.drain(self.order))
        self.what_holds_at_any_time()
        assert self.world.sqs.visible() == self.world.sqs.hidden() == []
        assert self.world.stepfunctions.waiting == {}
        if self.fatal:
            self._failed_with_one_cause()
        else:
            self._succeeded()

    def _succeeded(self) -> None:
        assert self.status == "SUCCEEDED"
        assert self.answers.keys() == set(STEPS)
        assert self.world.sqs.visible(dead=True) == []
        if self.style == "orchestrated":
            assert self.world.stepfunctions.status == "SUCCEEDED"
            assert self.world.stepfunctions.outputs == self.answers
        else:
            silent = {"waiter/b"} if self.orders.day == "quiet" else set()
            assert self.world.events().keys() == set(STEPS) - silent

    def _failed_with_one_cause(self) -> None:
        (run,) = self.do(self.world.rows("SELECT status, cause FROM runs WHERE run_id = %(run_id)s"))
        assert run["status"] == "FAILED"
        assert run["cause"].startswith(f"{self.fatal} failed")
        assert run["cause"].endswith("BadData: a test's own trouble")
        assert len(self.world.sqs.visible(dead=True)) <= 1
        if self.style == "orchestrated":
            assert self.world.stepfunctions.status == "FAILED"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("style", ["choreographed", "orchestrated"])
def test_every_step_has_one_answer_and_every_asker_gets_it(style: str, connection: Connection, url: str) -> None:
    with asyncio.Runner() as runner:
        pool = gated_pool(url)
        runner.run(pool.open())
        try:
            surroundings = {"style": style, "runner": runner, "pool": pool, "connection": connection}
            machine = type("Machine", (Semantics,), surroundings)
            run_state_machine_as_test(machine, settings=SETTINGS)
        finally:
            runner.run(pool.close())
