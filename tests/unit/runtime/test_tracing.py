"""Spans of attempts, and what a worker does when they cannot be sent."""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from contracts.envelope import StepKey, seal
from contracts.errors import TransientError
from services.runtime import __main__ as root
from services.runtime import tracing
from services.runtime.settings import names_a_collector
from services.runtime.store import Worker
from services.runtime.traced import TracedStateless
from services.runtime.tracing import Traces
from tests.unit.runtime.test_stateless import KEY, SCALES, Handler, delivering, raising, received, weigh

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
WORKER = Worker("scales-1", "stdout", "v1", 30)


def traces(exporter: SpanExporter) -> Traces:
    return Traces(exporter, SCALES, WORKER, "http://sqs/0/brigade-scales")


async def spans_of(folder: Path, traceparent: str | None, handler: Handler = weigh) -> list[ReadableSpan]:
    """The spans of one message to a worker without a step store."""
    exporter = InMemorySpanExporter()
    sending = traces(exporter)
    body = seal(KEY, "weigh.v1", "test", {"grams": 1500}, datetime.now(UTC), traceparent)
    async with delivering(folder, handler) as (delivery, _):
        traced = TracedStateless(**vars(delivery), traces=sending)
        await traced.process(received(body, receives=2))
        await traced.process(received("no message"))
    await sending.close()
    return list(exporter.get_finished_spans())


async def test_an_attempt_hangs_on_the_span_that_its_message_names(tmp_path: Path) -> None:
    (span,) = await spans_of(tmp_path, TRACEPARENT)
    assert span.name == "process scales"
    assert span.kind is SpanKind.CONSUMER
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT
    assert dict(span.attributes or {}) == {
        "messaging.system": "aws_sqs",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "brigade-scales",
        "brigade.run": "r1",
        "brigade.item": "onions",
        "brigade.attempt": 2,
        "brigade.mode": "normal",
    }
    assert span.status.status_code is StatusCode.UNSET
    about = span.resource.attributes
    assert (about["service.name"], about["service.version"], about["service.instance.id"]) == (
        "scales",
        "v1",
        "scales-1",
    )


@pytest.mark.parametrize(
    "traceparent", [None, "", "nonsense", f"00-{'0' * 32}-{PARENT}-01", TRACEPARENT.replace("a", "ä")]
)
async def test_without_one_that_can_be_understood_it_is_a_trace_of_its_own(
    tmp_path: Path, traceparent: str | None
) -> None:
    (span,) = await spans_of(tmp_path, traceparent)
    assert span.parent is None


async def test_a_failure_is_told_by_its_class_without_secrets(tmp_path: Path) -> None:
    (span,) = await spans_of(tmp_path, TRACEPARENT, raising(TransientError("no way to postgresql://me:hunter2@db/x")))
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "no way to postgresql://me:***@db/x"
    assert dict(span.attributes or {})["error.type"] == "TransientError"
    assert not span.events


@pytest.mark.parametrize("error", [ConnectionError("hunter2"), asyncio.CancelledError()])
async def test_what_ends_an_attempt_from_outside_is_told_by_its_class_only(error: BaseException) -> None:
    exporter = InMemorySpanExporter()
    sending = traces(exporter)
    with pytest.raises(type(error)), sending.attempt(KEY, 1, "normal", TRACEPARENT):
        raise error
    await sending.close()
    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, type(error).__name__)
    assert not span.events


class Stuck(SpanExporter):
    """Sends nothing until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.free.wait(30)
        return SpanExportResult.SUCCESS


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    exporter = Stuck()
    yield exporter
    exporter.free.set()


async def test_the_last_spans_are_waited_for_briefly(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "CLOSING", 0.2)
    sending = traces(stuck)
    with sending.attempt(KEY, 1, "normal", TRACEPARENT):
        pass
    began = time.monotonic()
    await sending.close()
    assert time.monotonic() - began < 2
    assert caplog.messages == ["the collector did not take the last spans within 0.2 s: they are lost"]


async def test_attempts_do_not_wait_for_a_collector(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than there is room for: the oldest are dropped."""
    monkeypatch.setattr(tracing, "CLOSING", 0.1)
    monkeypatch.setattr(logging.getLogger("opentelemetry.sdk._shared_internal"), "disabled", True)
    sending = traces(stuck)
    began = time.monotonic()
    for number in range(3000):
        with sending.attempt(StepKey(run_id="r1", component="scales", item=f"i{number}"), 1, "normal", TRACEPARENT):
            pass
    assert time.monotonic() - began < 5
    await sending.close()


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_collector_is_named_by_the_usual_variables(name: str) -> None:
    assert names_a_collector({name: "http://127.0.0.1:4318"})
    assert not names_a_collector({name: ""})
    assert not names_a_collector({})


@pytest.mark.parametrize(
    "lacking", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter"]
)
def test_a_worker_that_lacks_the_extra_does_not_start(
    lacking: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr("services.runtime.tracing")
    monkeypatch.delitem(sys.modules, "services.runtime.tracing")
    monkeypatch.setitem(sys.modules, lacking, None)
    variables = ("QUEUE_URL", "DEAD_LETTER_URL", "TOPIC_ARN", "BUCKET")
    for name, value in {f"BRIGADE_{name}": "x" for name in variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr(root, "configure_logging", lambda *names: None)
    assert root.main(["configurator"]) == 2
    said = "the extra otlp is not installed: install brigade with its extra `otlp`, or unset it"
    assert said in capsys.readouterr().err


def test_nothing_is_loaded_where_no_collector_is_named() -> None:
    code = "import sys, services.runtime.__main__; print([name for name in sys.modules if 'opentelemetry' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
