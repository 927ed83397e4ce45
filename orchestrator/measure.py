"""Exact counts of what a run cost: the fleet's API calls, messages, state transitions.

Workers count their own calls (services/runtime/telemetry.py) and report every second. The difference between two moments
when nothing is under way is what happened between them, so it is a run's own only when the run is alone.
"""

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from contracts.message import Frozen
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all

IDLE = ".idle"


class Cost(Frozen):
    """`api_calls` by service and operation; polls that found nothing are apart, since they pass with time, not work."""

    messages: int
    api_calls: dict[str, dict[str, int]]
    idle_polls: int
    state_transitions: int


def snapshot(connection: Connection) -> Counter[str]:
    """Sums over all workers since they started."""
    total: Counter[str] = Counter()
    for row in fetch_all(connection, "SELECT calls FROM workers"):
        total.update(row["calls"])
    return total


def cost_of(before: Counter[str], after: Counter[str], state_transitions: int) -> Cost:
    calls: dict[str, dict[str, int]] = {}
    difference = after - before
    for name, count in sorted(difference.items()):
        service, _, operation = name.partition(".")
        if operation and not name.endswith(IDLE):
            calls.setdefault(service, {})[operation] = count
    return Cost(
        messages=difference["messages"],
        api_calls=calls,
        idle_polls=sum(count for name, count in difference.items() if name.endswith(IDLE)),
        state_transitions=state_transitions,
    )


def settle(aws: Aws, connection: Connection, queue_urls: Iterable[str], seconds: float = 30.0) -> bool:
    """Wait until the queues are empty and every live worker has reported after that. False when it takes too long."""
    urls = list(queue_urls)

    def until(condition: Callable[[], bool]) -> None:
        Retrying(retry=retry_if_result(operator.not_), wait=wait_fixed(0.1), stop=stop_after_delay(seconds))(condition)

    try:
        until(lambda: all(_is_empty(aws, url) for url in urls))
        now = fetch_all(connection, "SELECT clock_timestamp() AS now")[0]["now"]
        until(lambda: _all_reported(connection, now))
    except RetryError:
        return False
    return True


def _is_empty(aws: Aws, url: str) -> bool:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(int(value) == 0 for value in attributes.values())


def _all_reported(connection: Connection, since: object) -> bool:
    query = """
        SELECT count(*) AS late FROM workers
        WHERE seen_at > now() - interval '15 seconds' AND seen_at < %(since)s + interval '0.2 seconds'
    """
    return bool(fetch_all(connection, query, {"since": since})[0]["late"] == 0)


class Transitions(NamedTuple):
    """Of an execution. A retry enters its state no second time, and is billed as if it had."""

    entered: int = 0
    retried: int = 0

    @property
    def billed(self) -> int:
        return self.entered + self.retried


def state_transitions(aws: Aws, execution: str | None) -> int:
    """Of an execution, as Step Functions Standard bills them: retries among them; 0 without an execution."""
    return transitions(aws, execution).billed


def transitions(aws: Aws, execution: str | None) -> Transitions:
    """From the execution's history; none without an execution."""
    if execution is None:
        return Transitions()
    pages = aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return transitions_in(event for page in pages for event in page["events"])


def transitions_in(history: Iterable[Any]) -> Transitions:
    """A task is scheduled right after its state was entered, and once more for each retry; other states are not retried."""
    entered: set[int] = set()
    retried = 0
    for event in history:
        if event["type"].endswith("StateEntered"):
            entered.add(event["id"])
        elif event["type"] == "TaskScheduled" and event["previousEventId"] not in entered:
            retried += 1
    return Transitions(len(entered), retried)
