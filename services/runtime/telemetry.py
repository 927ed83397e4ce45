"""JSON log lines, EMF metrics and exact counts of API calls."""

import json
import logging
import os
import sys
import threading
from collections import Counter
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from contracts.envelope import StepKey
from contracts.redaction import redacted, secrets_of

NAMESPACE = "Brigade"

WORKER_FIELDS = ("component", "version", "worker")
STEP_FIELDS = ("run", "item", "attempt", "trace_id")
"""Of a log line: of each, and of those about a step."""

MOST_VALUES = 100
"""Of one metric in one EMF line."""


class JsonLines(LambdaPowertoolsFormatter):
    """One JSON object per record, with the fields that `brigade logs` sorts and filters by.

    A line without a traceback, there is one for every message, takes a shorter way than powertools' own to the same text.
    """

    def __init__(self, component: str, version: str, worker: str) -> None:
        encoder = json.JSONEncoder(default=str, ensure_ascii=False, separators=(",", ":"))
        order = ["timestamp", "level", "message", "location", *WORKER_FIELDS]
        super().__init__(json_serializer=encoder.encode, utc=True, use_rfc3339=True, log_record_order=order)
        self._secrets = secrets_of(os.environ)
        self._worker = dict(zip(WORKER_FIELDS, (component, version, worker), strict=True))
        self.append_keys(**self._worker)

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info:
            return redacted(super().format(record), self._secrets)
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": redacted(record.getMessage(), self._secrets),
            "location": f"{record.funcName}:{record.lineno}",
            **self._worker,
        }
        line |= {name: value for name in STEP_FIELDS if (value := getattr(record, name, None)) is not None}
        return self.serialize(line)


def configure_logging(level: str, component: str, version: str, worker: str) -> None:
    """JSON lines on standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(component, version, worker))
    # No line shows these, and each record would look them up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("botocore", "aiobotocore", "psycopg", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def step_log(key: StepKey, attempt: int, trace_id: str | None = None) -> "logging.LoggerAdapter[logging.Logger]":
    fields = {"run": key.run_id, "item": key.item, "attempt": attempt, "trace_id": trace_id}
    return logging.LoggerAdapter(logging.getLogger("brigade.step"), fields)


class Metrics:
    """What a worker measures. Values gather until `flush`, which prints one EMF line that CloudWatch reads as metrics."""

    def __init__(self, component: str, version: str) -> None:
        self._dimensions = {"component": component, "version": version}
        self._gathered: dict[str, Any] = {}

    def count(self, name: str, value: int = 1) -> None:
        values = self._values(name, MetricUnit.Count)
        values[:] = [sum(values) + value]

    def seconds(self, name: str, value: float) -> None:
        values = self._values(name, MetricUnit.Seconds)
        values.append(round(value, 6))
        if len(values) == MOST_VALUES:
            self.flush()

    def run_ended(self, pipeline: str, style: str, status: str, seconds: float) -> None:
        """One line per run, with the run's own dimensions: the same for both styles. `TIMED_OUT` counts as `RunsTimedOut`."""
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension("pipeline", pipeline)
        metrics.add_dimension("style", style)
        metrics.add_metric("Runs" + status.title().replace("_", ""), MetricUnit.Count, 1)
        metrics.add_metric("RunDuration", MetricUnit.Seconds, seconds)
        write_line(metrics)

    def flush(self) -> None:
        if not self._gathered:
            return
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        for name, value in self._dimensions.items():
            metrics.add_dimension(name, value)
        metrics.metric_set.update(self._gathered)
        self._gathered.clear()
        write_line(metrics)

    def _values(self, name: str, unit: MetricUnit) -> list[float]:
        """Of one metric. `add_metric` of powertools would take one value, and longer the more there are."""
        metric = self._gathered.get(name)
        if metric is None:
            metric = self._gathered[name] = {"Unit": unit.value, "StorageResolution": 60, "Value": []}
        values: list[float] = metric["Value"]
        return values


def write_line(metrics: EphemeralMetrics) -> None:
    """To standard output in one write. `flush_metrics` of powertools would print the line and its end apart, and a log line
    of another thread may come between them.
    """
    sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
    sys.stdout.flush()


class ApiCalls:
    """Counts a client's API calls by service and operation, polls that found nothing apart, and messages received.

    Some clients call on the handlers' threads.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()

    def watch(self, client: Any) -> None:
        client.meta.events.register("after-call", self._count)

    def snapshot(self) -> dict[str, int]:
        """Counts by `service.Operation`; `sqs.ReceiveMessage.idle` and `messages` beside them."""
        with self._counting:
            return dict(self._counts)

    def _count(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        name = f"{model.service_model.endpoint_prefix}.{model.name}"
        with self._counting:
            if model.name == "ReceiveMessage":
                received = len(parsed.get("Messages", ()))
                self._counts["messages"] += received
                if not received:
                    name += ".idle"
            self._counts[name] += 1
