"""Ten thousand messages that nobody should have sent, to a live worker."""

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from chaos.pipeline import MEAL, SAUCIER
from chaos.stage import Stage
from contracts.envelope import MAX_MESSAGE_BYTES, StepKey, seal
from orchestrator.dead_letters import dead_letters, purge
from tests.faults.hostile import Hostile, hostile_messages
from tests.faults.looking import all_right, start_both

SENT = 10_000

RUNS = 100
"""Whose messages are changed. A run that has failed, and a step that is done, want no more of theirs."""

PLACE = f"{SAUCIER.name}/1"

Json = dict[str, Any]


def test_no_message_stops_a_worker_or_is_lost(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Proves `parse`, `validate` and `Settling`: what comes is handled, or dead-lettered with a reason.

    `Handled` counts all that was acknowledged; `Unwanted`, of those, what a run that had ended got. The sweep sends some
    commands of its own: nobody mixed the sauces for so long.
    """
    stage.fleet.stop([PLACE])
    purge(stage.aws, dead_letters(stage.aws, stage.deployment, SAUCIER))
    runs = [stage.start("choreographed") for _ in range(RUNS)]
    messages = hostile_messages(valid_messages(stage, runs), SENT)
    send(stage, messages)
    began = time.monotonic()
    stage.fleet.start(PLACE)
    record = stage.fleet.running[PLACE]
    worker = psutil.Process(record.pid)
    stage.until("an empty queue", lambda: SAUCIER.name not in stage.waiting(), seconds=900)
    seconds = time.monotonic() - began
    stage.connection.execute("UPDATE runs SET deadline = now() WHERE status = 'RUNNING'")
    all_right(stage, start_both(stage))
    assert worker.is_running()
    stage.fleet.stop([PLACE])
    letters = list(taken_letters(stage))
    lines = record.log.read_text(encoding="utf-8")
    counts, own = metrics(lines), sum(map(int, re.findall(r"\"(\d+) steps could have run for over", lines)))
    with capsys.disabled():
        kinds = Counter(letter["error"] for letter in letters)
        print(f"\n{len(messages)} messages in {seconds:.0f} s: {dict(counts)}, {dict(kinds)}")
    good = 3 + 1  # three events in one style, a command in the other
    assert len(messages) == SENT
    assert counts["Handled"] + counts["DeadLettered"] == SENT + good + own
    assert len(letters) == counts["DeadLettered"]
    assert counts["Interrupted"] == 0
    assert min(len(letters), counts["Handled"], 20 * counts["Unwanted"]) > SENT / 10
    check(letters, messages)


def check(letters: list[Json], messages: list[Hostile]) -> None:
    """Each is one of those that were sent, came at once if it is poison, and says why, whose and since when."""
    sent = Counter(message.body.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore") for message in messages)
    assert Counter(letter["body"] for letter in letters) <= sent
    assert all(letter["reason"] and letter["source"] and letter["sender"] for letter in letters)
    assert {letter["receives"] for letter in letters if letter["error"] == "PoisonMessage"} == {"1"}
    assert len({re.sub(r"\d+", "n", letter["reason"]) for letter in letters}) > 30


def valid_messages(stage: Stage, runs: list[str]) -> list[str]:
    """The events that the saucier was sent, out of its queue, and the command it would have made of them."""
    url = stage.deployment.queue_url(SAUCIER, "v1")
    stage.until("all events", lambda: stage.waiting().get(SAUCIER.name) == 3 * len(runs), seconds=120)
    events = [message["Body"] for message in taken(stage, url)]
    cooked: dict[str, list[Json]] = defaultdict(list)
    for event in map(json.loads, events):
        cooked[event["runid"]].append(event["data"])
    stage.connection.execute("UPDATE runs SET deadline = now() + interval '1 hour' WHERE status = 'RUNNING'")
    node = MEAL.graph.node(SAUCIER.name)
    keys = [StepKey(run_id=run_id, component=SAUCIER.name, item="-") for run_id in runs]
    commands = [seal(key, node.command, "tests", {"cooked": cooked[key.run_id]}, datetime.now(UTC)) for key in keys]
    return [*sorted(events), *commands]


def send(stage: Stage, messages: list[Hostile]) -> None:
    """Ten a call; a long one alone."""
    url = stage.deployment.queue_url(SAUCIER, "v1")
    entries: list[Any] = [{"MessageBody": one.body, "MessageAttributes": one.attributes} for one in messages]
    short = [entry for entry in entries if len(entry["MessageBody"]) < 20_000]
    for start in range(0, len(short), 10):
        batch: Any = [{"Id": str(number), **entry} for number, entry in enumerate(short[start : start + 10])]
        assert not stage.aws.sqs.send_message_batch(QueueUrl=url, Entries=batch).get("Failed")
    for entry in entries:
        if len(entry["MessageBody"]) >= 20_000:
            stage.aws.sqs.send_message(QueueUrl=url, **entry)


def taken_letters(stage: Stage) -> Iterator[Json]:
    for message in taken(stage, stage.deployment.dead_letter_url(SAUCIER, "v1")):
        about = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        yield {"body": message["Body"], **about}


def taken(stage: Stage, url: str) -> Iterator[Any]:
    """Every message of a queue, out of it."""
    asked: Any = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "MessageAttributeNames": ["All"]}
    while found := stage.aws.sqs.receive_message(**asked).get("Messages"):
        entries: Any = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(found)]
        stage.aws.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        yield from found


def metrics(lines: str) -> Counter[str]:
    """The sums of what a worker counted, from its EMF lines."""
    found: Counter[str] = Counter()
    for line in lines.splitlines():
        if line.startswith('{"_aws"'):
            values = json.loads(line)
            for name in (
                "Handled",
                "DeadLettered",
                "Unwanted",
                "Repeated",
                "Retried",
                "Failed",
                "Interrupted",
                "StaleAnswers",
            ):
                found[name] += sum(values.get(name, []))
    return found
