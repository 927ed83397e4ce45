"""What several fault tests look at, and faults that last."""

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from chaos.pipeline import MEAL
from chaos.stage import STYLES, Row, Stage
from contracts.component import Component
from contracts.envelope import StepKey, seal
from orchestrator.dead_letters import Held, dead_letters


def start_both(stage: Stage) -> list[str]:
    """A run in each style, at the same time."""
    return [stage.start(style) for style in STYLES]


def last(seconds: float) -> None:
    """The fault goes on so long."""
    time.sleep(seconds)


def all_right(stage: Stage, runs: Iterable[str], seconds: float = 80.0) -> None:
    """Wait for the end of each; all have succeeded and published what they should, once."""
    runs = list(runs)
    ended = [stage.ended(run_id, seconds) for run_id in runs]
    assert [(run["status"], run["cause"]) for run in ended] == [("SUCCEEDED", None)] * len(runs)
    stage.settled()
    assert [stage.published(run_id) for run_id in runs] == [[stage.right_hash]] * len(runs)


def more_than_one_attempt(stage: Stage, runs: Iterable[str]) -> list[Row]:
    """The steps that were not done at once, with the errors of their attempts."""
    query = """
        SELECT run_id, component, item, array_agg(error ORDER BY fence) AS errors FROM attempts
        WHERE run_id = ANY (%(runs)s) GROUP BY run_id, component, item HAVING count(*) > 1
    """
    return stage.rows(query, runs=list(runs))


def errors(stage: Stage, runs: Iterable[str]) -> set[str]:
    """Of all attempts."""
    query = "SELECT DISTINCT error FROM attempts WHERE run_id = ANY (%(runs)s) AND error IS NOT NULL"
    return {row["error"] for row in stage.rows(query, runs=list(runs))}


def letters(stage: Stage, components: tuple[Component, ...] = MEAL.components) -> list[Held]:
    return [held for component in components for held in dead_letters(stage.aws, stage.deployment, component)]


def replacing(stage: Stage, condition: Callable[[], object]) -> Callable[[], object]:
    """The condition, looked at while whoever dies is replaced."""

    def look() -> object:
        stage.fleet.replace_dead()
        return condition()

    return look


def send_again(stage: Stage, run_id: str, component: str, item: str, token: str | None = None) -> None:
    """The command of a step that has been claimed, with a task token if one is given."""
    query = "SELECT input FROM steps WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s"
    (row,) = stage.rows(query, run_id=run_id, component=component, item=item)
    key, node = StepKey(run_id=run_id, component=component, item=item), MEAL.graph.node(component)
    body = seal(key, node.command, "test", json.loads(row["input"]), datetime.now(UTC), None)
    attributes: Any = {"taskToken": {"DataType": "String", "StringValue": token}} if token else {}
    url = stage.deployment.queue_url_of(component, "v1")
    stage.aws.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
