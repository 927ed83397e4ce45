"""What clocks send, and that nobody starts them by mistake."""

import json
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION
from contracts.run import RunRequest
from orchestrator.asl import queue_placeholder
from orchestrator.clocks import strike
from orchestrator.deploy import Deployment
from orchestrator.start import check_asked


def test_a_clock_strikes_in_the_queue_of_the_version_that_the_run_pins() -> None:
    sent: list[dict[str, Any]] = []
    aws = cast(Any, SimpleNamespace(sqs=SimpleNamespace(send_message=lambda **asked: sent.append(asked))))
    simulator = next(c for c in ORDER_SIMULATION.components if c.name == "order-simulator")
    deployment = Deployment({queue_placeholder("order-simulator", v): f"queue of {v}" for v in simulator.versions})
    request = RunRequest(
        run_id="run-1", pipeline="order-simulation", date=date(2026, 11, 25), versions=("order-simulator=v2",)
    )
    strike(aws, deployment, simulator, request)
    (message,) = sent
    body = json.loads(message["MessageBody"])
    assert message["QueueUrl"] == "queue of v2"
    assert (body["id"], body["type"], body["style"]) == ("run-1/order-simulator/-", "tick.v1", "scheduled")


def test_a_scheduled_run_is_not_to_be_had_but_by_comparing() -> None:
    with pytest.raises(BadRequest, match="`brigade compare` does, nothing else runs it"):
        check_asked(ORDER_SIMULATION, "scheduled", {})
