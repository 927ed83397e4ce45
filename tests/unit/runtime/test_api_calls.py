"""Calls are counted as they happen, by botocore's own hook."""

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from services.runtime.telemetry import ApiCalls


class Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def sqs() -> Any:
    return boto3.client(
        "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x", endpoint_url="http://nowhere"
    )


def answering(client: Any, *bodies: tuple[int, str]) -> None:
    """Let the client's next calls be answered without a network."""
    left = list(bodies)

    def answer(request: Any, **_: Any) -> AWSResponse:
        status, body = left.pop(0)
        headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, Raw(body.encode()))

    client.meta.events.register("before-send.sqs", answer)


MESSAGE = '{"MessageId": "m", "ReceiptHandle": "r", "Body": "b", "MD5OfBody": "92eb5ffee6ae2fec3ad71c777531578f"}'


def test_polls_that_found_nothing_are_counted_apart(sqs: Any) -> None:
    calls = ApiCalls()
    calls.watch(sqs)
    answering(sqs, (200, f'{{"Messages": [{MESSAGE}, {MESSAGE}]}}'), (200, "{}"), (200, "{}"), (200, "{}"))
    for _ in range(3):
        sqs.receive_message(QueueUrl="http://nowhere/queue")
    sqs.delete_message(QueueUrl="http://nowhere/queue", ReceiptHandle="r")
    assert calls.snapshot() == {
        "messages": 2,
        "sqs.ReceiveMessage": 1,
        "sqs.ReceiveMessage.idle": 2,
        "sqs.DeleteMessage": 1,
    }


def test_a_call_that_was_refused_counts_too(sqs: Any) -> None:
    calls = ApiCalls()
    calls.watch(sqs)
    answering(sqs, (400, '{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "none"}'))
    with pytest.raises(ClientError):
        sqs.delete_message(QueueUrl="http://nowhere/queue", ReceiptHandle="r")
    assert calls.snapshot() == {"sqs.DeleteMessage": 1}


def test_a_snapshot_does_not_change_any_more(sqs: Any) -> None:
    calls = ApiCalls()
    calls.watch(sqs)
    before = calls.snapshot()
    answering(sqs, (200, "{}"))
    sqs.delete_message(QueueUrl="http://nowhere/queue", ReceiptHandle="r")
    assert before == {}
