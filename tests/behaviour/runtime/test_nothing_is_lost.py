"""Ways to lose a step's answer that chance seldom finds, one by one."""

import json
from random import Random

import pytest

from tests.behaviour.runtime.conftest import PIPELINES, MakeWorld
from tests.behaviour.runtime.fakes import Letter
from tests.behaviour.runtime.squads import Orders
from tests.behaviour.runtime.world import World


async def with_a_late_plan(world: World) -> Letter:
    """The plan reaches the cook only after the pie is chopped, so that it feeds the pie's cooking."""
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    await world.deliver(world.letter("chopper/v1", "supper-planned.v1"), "one")
    await world.deliver(world.letter("chopper/v1", "chop-dish.v1", "pie"), "one")
    return world.letter("cook/v1", "supper-planned.v1")


async def test_an_event_that_feeds_one_step_more_when_it_comes_again_does_not_forget_the_first(
    new_world: MakeWorld,
) -> None:
    """Its first delivery is killed in the handler; meanwhile the soup is chopped, whose event has not come yet."""
    world = new_world()
    plan = await with_a_late_plan(world)
    await world.deliver(plan, "one", "handling", "kill")
    assert await world.states("cook") == {"pie": "claimed", "soup": "waiting"}
    await world.deliver(world.letter("chopper/v1", "chop-dish.v1", "soup"), "one")
    await world.expire_leases()
    plan.visible = True
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_an_event_that_feeds_one_step_more_when_it_comes_again_repeats_the_answer_of_the_first(
    new_world: MakeWorld,
) -> None:
    """The same, but killed between the pie's commit and its event."""
    world = new_world()
    plan = await with_a_late_plan(world)
    await world.deliver(plan, "one", "publishing", "kill")
    assert await world.states("cook") == {"pie": "done", "soup": "waiting"}
    assert "cook/pie" not in world.events()
    await world.deliver(world.letter("chopper/v1", "chop-dish.v1", "soup"), "one")
    plan.visible = True
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def forget(world: World, url: str) -> None:
    """Lose every message to this queue, and let more time pass than a sweep waits."""
    for letter in world.sqs.letters:
        letter.deleted = letter.deleted or letter.url == url
    await world.expire_leases()
    await world.let_time_pass()


async def test_a_sweep_sends_the_command_of_a_ready_step_whose_message_is_lost(new_world: MakeWorld) -> None:
    world = new_world()
    await forget(world, "host/v1")
    await world.sweep("chopper/v1")
    assert world.sqs.visible() == []
    await world.sweep("host/v1")
    await world.sweep("host/v1")
    assert len(world.sqs.visible()) == 1
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_a_sweep_sends_the_command_of_a_step_whose_worker_and_message_are_lost(new_world: MakeWorld) -> None:
    world = new_world()
    plan = await with_a_late_plan(world)
    await world.deliver(plan, "one", "handling", "kill")
    sent = len(world.sqs.letters)
    await world.sweep("cook/v1")
    assert len(world.sqs.letters) == sent
    await forget(world, "cook/v1")
    await world.sweep("cook/v1")
    assert await world.states("cook") == {"pie": "claimed", "soup": "waiting"}
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_a_sweep_starts_a_step_whose_needs_were_answered_without_an_event(new_world: MakeWorld) -> None:
    world = new_world()
    await with_a_late_plan(world)
    await world.sweep("cook/v1")
    await forget(world, "cook/v1")
    await world.sweep("cook/v1")
    assert await world.states("cook") == {"pie": "ready", "soup": "waiting"}
    assert [json.loads(found.body)["id"] for found in world.sqs.visible() if found.url == "cook/v1"] == [
        f"{world.run_id}/cook/pie"
    ]
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_the_owner_answers_the_newest_token_too(new_world: MakeWorld) -> None:
    """The callback timed out and its next command has come while the handler runs."""
    world = new_world("orchestrated")
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one", "handling", "pause")
    (old,) = world.stepfunctions.waiting
    world.stepfunctions.time_out(old)
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "two")
    await world.resume(world.under_way[0], 0, "finish")
    assert world.stepfunctions.outputs.keys() == {"host/-"}


async def test_a_late_owner_leaves_the_message_to_the_new_one(new_world: MakeWorld) -> None:
    """It may crash, and has no other message."""
    world = new_world()
    first = world.letter("host/v1", "plan-supper.v1")
    await world.deliver(first, "one", "handled", "pause")
    await world.expire_leases()
    first.visible = True
    await world.deliver(first, "two", "handling", "kill")
    await world.resume(world.under_way[0], 0, "finish")
    assert not first.deleted
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_a_late_owner_s_answer_does_not_count(new_world: MakeWorld) -> None:
    world = new_world()
    first = world.letter("host/v1", "plan-supper.v1")
    await world.deliver(first, "one", "handled", "pause")
    await world.expire_leases()
    first.visible = True
    await world.deliver(first, "two", "handled", "pause")
    late, owner = world.under_way
    await world.resume(late, 0, "finish")
    assert await world.states("host") == {"-": "claimed"}
    await world.resume(owner, 0, "finish")
    (event,) = world.events()["host/-"]
    assert event["made_by"] == 2


async def test_an_event_is_published_although_a_task_token_has_asked_too(new_world: MakeWorld) -> None:
    """A command of the execution before comes while the step of a run that was redriven choreographed is handled."""
    world = new_world()
    first = world.letter("host/v1", "plan-supper.v1")
    await world.deliver(first, "one", "handling", "pause")
    await world.deliver(world.sqs.put("host/v1", first.body, "an old token"), "two")
    await world.resume(world.under_way[0], 0, "finish")
    assert world.events().keys() == {"host/-"}


@pytest.mark.parametrize("style", ["choreographed", "orchestrated"])
async def test_a_run_whose_last_steps_are_all_reused_ends_with_the_last_answer(
    new_world: MakeWorld, style: str
) -> None:
    world = new_world(style, Orders("quiet"), pipeline=PIPELINES["reheated"])
    await world.drain(Random(1))
    assert await world.states("reheater") == {"a": "reused", "b": "reused"}
    assert await world.status() == "SUCCEEDED"


async def test_a_sweep_starts_a_step_that_takes_nothing_but_reused_answers(new_world: MakeWorld) -> None:
    """No event is there to start it."""
    world = new_world(orders=Orders("quiet"), pipeline=PIPELINES["counted"])
    await world.drain(Random(1))
    assert await world.states("counter") == {"-": "waiting"}
    await world.sweep("counter/v1")
    await world.drain(Random(1))
    assert await world.status() == "SUCCEEDED"


async def test_an_attempt_that_ends_after_its_run_is_recorded(new_world: MakeWorld) -> None:
    world = new_world()
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one", "handling", "pause")
    await world.rows("UPDATE runs SET status = 'FAILED', cause = 'the deadline has passed' WHERE run_id = %(run_id)s")
    await world.resume(world.under_way[0], 0, "finish")
    (attempt,) = await world.rows("SELECT outcome, error, cause FROM attempts WHERE run_id = %(run_id)s")
    assert attempt == {"outcome": "failed", "error": "GivenBack", "cause": "the run is FAILED"}
    assert await world.states("host") == {"-": "ready"}
    await world.drain(Random(1))
    assert world.events() == {}


@pytest.mark.parametrize("style", ["choreographed", "orchestrated"])
async def test_the_last_answer_is_given_although_the_line_was_cut_right_after_its_commit(
    new_world: MakeWorld, style: str
) -> None:
    """The worker cannot know that it ended the run itself."""
    world = new_world(style, pipeline=PIPELINES["two-ends"])
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    for url in ("sommelier/v1", "scullion/v1"):
        (letter,) = [letter for letter in world.sqs.visible() if letter.url == url]
        await world.deliver(letter, "one", "handled", "pause")
        await world.resume(world.under_way[0], "committed", "fail")
    assert await world.status() == "SUCCEEDED"
    await world.drain(Random(1))
    assert world.stepfunctions.status == ("SUCCEEDED" if style == "orchestrated" else "RUNNING")
    assert world.stepfunctions.error is None
    assert world.events().keys() >= {"sommelier/-", "scullion/-"}
