"""A step that may have ended its workers is told apart from those that were lost beside it."""

import pytest

from contracts.component import Component
from contracts.envelope import StepKey
from services.runtime.store import Busy, Claim, Store, Suspect, Worker
from tests.behaviour.runtime.conftest import MakeWorld
from tests.behaviour.runtime.world import World

WORKER = Worker("one", "here", "v1", 30)


def host(world: World) -> StepKey:
    return StepKey(run_id=world.run_id, component="host", item="-")


async def lose(world: World, store: Store) -> None:
    """A worker, at the host's step."""
    claim = await store.claim(host(world), WORKER, None, "{}")
    assert isinstance(claim, Claim)
    await world.expire_leases()


async def test_a_step_is_taken_beside_others_until_it_has_lost_so_many_workers(new_world: MakeWorld) -> None:
    world = new_world()
    store = Store(world.pool)
    await lose(world, store)
    await lose(world, store)
    assert await store.claim(host(world), WORKER, None, "{}", losses=2) == Suspect()
    assert isinstance(await store.claim(host(world), WORKER, None, "{}", losses=3), Claim)
    assert isinstance(await store.claim(host(world), WORKER, None, "{}", losses=1), Busy)
    await world.expire_leases()
    assert isinstance(await store.claim(host(world), WORKER, None, "{}"), Claim)


async def test_what_failed_otherwise_is_no_loss(new_world: MakeWorld) -> None:
    world = new_world()
    store = Store(world.pool)
    for _ in range(3):
        claim = await store.claim(host(world), WORKER, None, "{}", losses=1)
        assert isinstance(claim, Claim)
        await store.release(claim, "the worker was stopped")
    assert isinstance(await store.claim(host(world), WORKER, None, "{}", losses=1), Claim)


async def test_losses_before_a_redrive_do_not_count(new_world: MakeWorld) -> None:
    world = new_world()
    store = Store(world.pool)
    await lose(world, store)
    assert await store.claim(host(world), WORKER, None, "{}", losses=1) == Suspect()
    await world.rows("UPDATE attempts SET ended_at = now(), error = 'WorkerLost' WHERE run_id = %(run_id)s")
    await world.rows("UPDATE runs SET generation = generation + 1 WHERE run_id = %(run_id)s")
    assert isinstance(await store.claim(host(world), WORKER, None, "{}", losses=1), Claim)


@pytest.mark.parametrize(("attempts", "losses"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_the_last_loss_is_a_step_s_own(attempts: int, losses: int) -> None:
    policy = Component.model_fields["policy"].default
    limit = policy.limit_for("WorkerLost").model_copy(update={"attempts": attempts})
    assert policy.model_copy(update={"limits": (limit,)}).losses_in_company == losses
