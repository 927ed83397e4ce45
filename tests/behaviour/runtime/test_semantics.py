"""One run under everything that can happen to it: deliveries in any order, repeated, on two workers, crashing, failing or
stopped after any await, leases and visibility that run out, lost answers. Real PostgreSQL; see world.py for what is faked.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.errors import ResourcePending, TransientError
from orchestrator.database import Connection
from services.runtime.store import Pool
from tests.behaviour.runtime.conftest import SUPPER
from tests.behaviour.runtime.fakes import Letter
from tests.behaviour.runtime.gates import Fate, gated_pool
from tests.behaviour.runtime.squads import Orders
from tests.behaviour.runtime.supper import STEPS
from tests.behaviour.runtime.witness import Witness
from tests.behaviour.runtime.world import Course, World

PICKS = st.integers(0, 99)
QUEUES = st.sampled_from(
    [f"{component.name}/{version}" for component in SUPPER.components for version in component.versions]
)
SEEDS = st.integers(0, 2**32)
GATES = st.integers(0, 24)
FATES: st.SearchStrategy[Fate] = st.sampled_from(("finish", "finish", "pause", "kill", "fail", "cancel"))
WORKERS = st.sampled_from(("one", "two"))


RUNS: dict[str, st.SearchStrategy[Any]] = {
    "orders": st.sampled_from((Orders("busy"), Orders("quiet"))),
    "version": st.sampled_from(("v1", "v2")),
    "troubles": st.dictionaries(
        st.sampled_from(STEPS), st.lists(st.sampled_from((TransientError, ResourcePending)), max_size=2), max_size=2
    ),
    "fatal": st.none() | st.none() | st.none() | st.sampled_from(STEPS),
    "careless": st.booleans(),
}
"""How a run may be, whatever happens to it."""


class Semantics(RuleBasedStateMachine):
    style: ClassVar[str]
    runner: ClassVar[asyncio.Runner]
    pool: ClassVar[Pool]
    connection: ClassVar[Connection]

    witness: Witness | None = None
    world: World
    order: Random

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(seed=SEEDS, run=st.fixed_dictionaries(RUNS))
    def start(self, seed: int, run: dict[str, Any]) -> None:
        self.witness = Witness(self.pool, self.connection, self.style, **run)
        self.world = self.witness.world
        self.order = Random(seed)

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

    # What must hold

    @invariant()
    def holds(self) -> None:
        if self.witness:
            self.do(self.witness.check())

    def teardown(self) -> None:
        if self.witness:
            self.do(self.witness.check_end(self.order))


Surroundings = dict[str, Any]


@pytest.fixture(params=["choreographed", "orchestrated"])
def surroundings(
    request: pytest.FixtureRequest, connection: Connection, url: str, quick: None
) -> Iterator[Surroundings]:
    """One event loop and one pool for all examples: each leaves nothing behind."""
    with asyncio.Runner() as runner:
        pool = gated_pool(url)
        runner.run(pool.open())
        yield {"style": request.param, "runner": runner, "pool": pool, "connection": connection}
        runner.run(pool.close())


COMMON: dict[str, Any] = {"deadline": None, "print_blob": True, "suppress_health_check": list(HealthCheck)}


def test_every_step_has_one_answer_and_every_asker_gets_it(surroundings: Surroundings) -> None:
    machine = type("Machine", (Semantics,), surroundings)
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, **COMMON))


def test_the_same_by_chance(surroundings: Surroundings) -> None:
    """Many more runs, each disturbed by nothing but a random generator: such a failure is found sooner, and shrinks less."""
    style, runner = surroundings["style"], surroundings["runner"]

    async def disturbed(witness: Witness, order: Random, times: int) -> None:
        await witness.world.stir(order, times)
        await witness.check()
        await witness.check_end(order)

    @settings(max_examples=200, **COMMON)
    @given(seed=SEEDS, times=st.integers(10, 120), run=st.fixed_dictionaries(RUNS))
    def check(seed: int, times: int, run: dict[str, Any]) -> None:
        witness = Witness(surroundings["pool"], surroundings["connection"], style, **run)
        runner.run(disturbed(witness, Random(seed), times))

    check()
