"""Real work, good and bad, in both styles; then everything it wrote is searched for what opens a door."""

import io
import json
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import TransientError
from contracts.message import Event
from orchestrator.page import write_page
from services.runtime import outgoing
from services.runtime.context import Context
from services.runtime.telemetry import JsonLines
from tests.behaviour.runtime.floor import Floor
from tests.support.collector import Collector

STYLES = ("orchestrated", "choreographed")
PASSWORD, KEY, HEADER = (f"{name}-{uuid.uuid4().hex}" for name in ("password", "key", "header"))
URL = f"postgresql://me:{PASSWORD}@127.0.0.1:1/orders"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a worker prints at its most talkative, as its own process would."""
    monkeypatch.setattr(outgoing, "YOUNG", 0.5)
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={HEADER}")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines("all", "v1", "one"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def careless(floor: Floor) -> None:
    """The pie's handler tells all it knows, each time in another way."""
    chop = floor.handlers["chopper"]

    def handler(inputs: Any, ctx: Context) -> Event:
        ctx.log.info("working with %s, %s and %s", URL, KEY, HEADER)
        if ctx.item == "pie":
            if ctx.attempt == 1:
                raise ConnectionError(f"no connection with host=db user=me password={PASSWORD}")
            raise TransientError(f"{URL} is away, as are {KEY} and {HEADER}")
        return chop(inputs, ctx)

    floor.handlers["chopper"] = handler


def rows(floor: Floor) -> str:
    """Every row of every table. A step keeps its newest task token: it is asked for its answer by it."""
    tables = floor.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found: list[Any] = []
    for table in tables:
        found += floor.rows(f"SELECT to_jsonb(t) - 'token' AS row FROM {table['tablename']} t")
    return json.dumps(found)


def tokens(floor: Floor, run_id: str) -> set[str]:
    """Of every command that the run's execution has sent, as Step Functions remembers it."""
    execution = floor.execution(run_id)["executionArn"]
    history = floor.aws.stepfunctions.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    sent = [
        event["taskScheduledEventDetails"]["parameters"] for event in history if "taskScheduledEventDetails" in event
    ]
    return {json.loads(asked)["MessageAttributes"]["taskToken"]["StringValue"] for asked in sent}


@pytest.mark.parametrize("style", STYLES)
async def test_nothing_that_is_written_opens_a_door(
    snack_bar: Floor, lines: io.StringIO, tmp_path: Path, collector: Collector, style: str
) -> None:
    good = snack_bar.start(style)
    async with snack_bar.working():
        assert (await snack_bar.ended(good))["status"] == "SUCCEEDED"
        await snack_bar.settled()
    careless(snack_bar)
    bad = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(bad)
        await snack_bar.settled()
        letters = await snack_bar.until(lambda: snack_bar.dead_letters("chopper"))
    assert run["cause"].endswith("TransientError: postgresql://me:***@127.0.0.1:1/orders is away, as are *** and ***")
    written = {"lines": lines.getvalue(), "rows": rows(snack_bar), "letters": json.dumps(letters)}
    written["spans"] = b"".join(collector.bodies).decode(errors="replace")
    for run_id in (good, bad):
        write_page(snack_bar.connection, run_id, tmp_path / f"{run_id}.html")
        written[f"page of {run_id}"] = (tmp_path / f"{run_id}.html").read_text(encoding="utf-8")
    secrets = {PASSWORD, KEY, HEADER}
    if style == "orchestrated":
        execution = await snack_bar.until(lambda: snack_bar.failed_execution(bad))
        written["cause"] = execution["cause"]
        found = tokens(snack_bar, good) | tokens(snack_bar, bad)
        assert len(found) > 6
        secrets |= found
    with_steps = [line for text in lines.getvalue().splitlines() if "attempt" in (line := json.loads(text))]
    assert {line["trace_id"] for line in with_steps} == {span.trace for span in collector.spans}
    assert "working with postgresql://me:***@127.0.0.1:1/orders, *** and ***" in written["lines"]
    assert "TransientError" in written["spans"]
    assert {headers["api-key"] for headers in collector.headers} == {HEADER}
    assert "attempt failed: UnexpectedError: ConnectionError: no connection with host=db user=me" in written["lines"]
    assert {name for name, text in written.items() for secret in secrets if secret in text} == set()
