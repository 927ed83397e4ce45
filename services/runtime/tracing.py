"""Spans for a collector: one for a run's start, one for each attempt at a step. Imported only where a collector is named.

All of a run's spans hang on the one whose id its `traceparent` holds, in both styles: an attempt on the attempt that fed
it would be an orphan when that one's worker was killed, and a state machine hands on no span of a step.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context as TraceContext
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts.component import Component
from contracts.envelope import Mode, StepKey
from services.runtime.store import Run, Worker

CLOSING = 2.0
"""Seconds a worker that ends waits for the collector to take the last spans."""

SCOPE = "brigade"

log = logging.getLogger("brigade.tracing")


def exporter() -> SpanExporter:
    """OTLP over HTTP, configured by OTEL_EXPORTER_OTLP_... variables."""
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # a line when spans are lost, none for each try
    return OTLPSpanExporter()


class Traces:
    """A worker's spans. They wait in memory, the oldest dropped when there are too many, for a thread that sends them."""

    def __init__(self, exporter: SpanExporter, component: Component, identity: Worker, queue_url: str) -> None:
        self._name = f"process {component.name}"
        self._attributes = {
            "messaging.system": "aws_sqs",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": queue_url.rpartition("/")[2],
        }
        self._processor = BatchSpanProcessor(exporter)
        resource = {"service.version": identity.version, "service.instance.id": identity.name}
        self._tracer = self._provider(component.name, resource).get_tracer(SCOPE)

    def run_started(self, run: Run, run_id: str) -> None:
        """The span that all others of the run hang on: from when it was asked for until the first attempt at its first step.

        Its ids are those in the run's `traceparent`. A run has one first attempt, whatever is redriven.
        """
        given = get_current_span(_context(run.traceparent)).get_span_context()
        if not given.is_valid:
            return
        asked = int(run.started_at.timestamp() * 1e9)
        attributes = {"brigade.run": run_id, "brigade.pipeline": run.request.pipeline, "brigade.style": run.style}
        tracer = self._provider(run.request.pipeline, {}, Given(given)).get_tracer(SCOPE)
        span = tracer.start_span(
            f"start {run.request.pipeline}", TraceContext(), SpanKind.PRODUCER, attributes, start_time=asked
        )
        span.end(max(asked, time.time_ns()))

    @contextmanager
    def attempt(self, key: StepKey, number: int, mode: Mode, traceparent: str | None) -> Iterator[Span]:
        """The span of one attempt, as the semantic conventions for messaging name things."""
        attributes: dict[str, str | int] = {
            **self._attributes,
            "brigade.run": key.run_id,
            "brigade.item": key.item,
            "brigade.attempt": number,
            "brigade.mode": mode,
        }
        with self._tracer.start_as_current_span(
            self._name,
            _context(traceparent),
            SpanKind.CONSUMER,
            attributes,
            record_exception=False,  # neither the exception's text nor its traceback has been redacted
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:  # the surroundings failed, or the worker stops
                fail(span, type(error).__name__)
                raise

    async def close(self) -> None:
        """Send what is left, for `CLOSING` seconds at most: the SDK would wait for half a minute, or for ever."""
        closing = threading.Thread(target=self._processor.shutdown, name="last spans", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSING)
        if closing.is_alive():
            log.warning("the collector did not take the last spans within %g s: they are lost", CLOSING)

    def _provider(self, service: str, more: dict[str, str], ids: IdGenerator | None = None) -> TracerProvider:
        resource = Resource.create({"service.namespace": SCOPE, "service.name": service, **more})
        provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        return provider


class Given(IdGenerator):
    """Of one span that is known already."""

    def __init__(self, span: SpanContext) -> None:
        self._span = span

    def generate_span_id(self) -> int:
        return self._span.span_id

    def generate_trace_id(self) -> int:
        return self._span.trace_id


def _context(traceparent: str | None) -> TraceContext:
    """Empty when there is none, or none that can be understood: then a span begins a trace of its own."""
    carrier = {"traceparent": traceparent} if traceparent else {}
    return TraceContextTextMapPropagator().extract(carrier, TraceContext())


def fail(span: Span, error: str, cause: str = "") -> None:
    span.set_attribute("error.type", error)
    span.set_status(StatusCode.ERROR, cause or error)
