"""What a replica does by itself goes on, whatever happens to one of its chores, and ends with it."""

import asyncio
import logging

import pytest

from orchestrator.service.chores import Chores


async def test_chores_are_repeated_and_end_when_they_are_left() -> None:
    done: list[str] = []
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note(name: str) -> None:
        done.append(name)
        if len(done) >= 6:
            loop.call_soon_threadsafe(enough.set)

    async with Chores([("sweep", lambda: note("sweep")), ("dust", lambda: note("dust"))], every=0).going_on():
        await asyncio.wait_for(enough.wait(), 10)
    assert done[:6] == ["sweep", "dust"] * 3
    count = len(done)
    await asyncio.sleep(0)
    assert len(done) == count


async def test_one_that_fails_is_told_and_keeps_no_other_from_being_done(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIGADE_TOKEN", "a-token-of-some-length")
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail() -> None:
        raise ValueError("no broom, a-token-of-some-length")

    with caplog.at_level(logging.WARNING):
        chores = Chores([("sweep", fail), ("dust", lambda: loop.call_soon_threadsafe(reached.set))], every=0)
        async with chores.going_on():
            await asyncio.wait_for(reached.wait(), 10)
    assert caplog.messages[0] == "cannot sweep, and tries again: ValueError: no broom, ***"
