"""The proxy of AWS calls: what it refuses, loses, repeats and puts off."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chaos.api import Api, Call, Rule
from chaos.background import background

QUEUE = "http://127.0.0.1/queue/us-east-1/000000000000/q"


class Upstream(ThreadingHTTPServer):
    """Gives the same message to everybody, and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, Any]] = []


class Answering(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((operation, body))
        message = {"MessageId": "first", "ReceiptHandle": "receipt", "Body": "{}"}
        answers: dict[str, Any] = {"ReceiveMessage": {"Messages": [message]}, "SendMessage": {"MessageId": "copy"}}
        text = json.dumps(answers.get(operation, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Into nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(upstream: Upstream) -> Iterator[Api]:
    with background() as behind, Api(behind, f"http://127.0.0.1:{upstream.server_port}", Random(1)).listening() as api:
        yield api


@pytest.fixture
def sqs(api: Api) -> Iterator[Any]:
    client = boto3.client(
        "sqs",
        endpoint_url=f"http://127.0.0.1:{api.port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield client
    client.close()


def test_calls_are_passed_on_and_counted(sqs: Any, api: Api, upstream: Upstream) -> None:
    assert sqs.receive_message(QueueUrl=QUEUE)["Messages"][0]["MessageId"] == "first"
    assert upstream.asked == [("ReceiveMessage", {"QueueUrl": QUEUE})]
    assert api.calls == {Call("sqs", "ReceiveMessage"): 1}


def test_a_rule_refuses_so_many_calls_of_its_operation(sqs: Any, api: Api, upstream: Upstream) -> None:
    rule = api.refuse(Rule("sqs", "ReceiveMessage", times=1, code="Slow"))
    sqs.delete_message(QueueUrl=QUEUE, ReceiptHandle="receipt")
    with pytest.raises(ClientError, match="Slow"):
        sqs.receive_message(QueueUrl=QUEUE)
    sqs.receive_message(QueueUrl=QUEUE)
    assert rule.applied == 1
    assert [operation for operation, _ in upstream.asked] == ["DeleteMessage", "ReceiveMessage"]


def test_a_call_whose_answer_is_lost_is_carried_out(sqs: Any, api: Api, upstream: Upstream) -> None:
    rule = api.refuse(Rule("sqs", lose_answer=True))
    with pytest.raises(BotoCoreError):
        sqs.receive_message(QueueUrl=QUEUE)
    assert len(upstream.asked) == 1
    api.allow([rule])
    sqs.receive_message(QueueUrl=QUEUE)


def test_a_message_is_sent_once_more_and_put_off_once(sqs: Any, api: Api, upstream: Upstream) -> None:
    api.disorder = 1.0
    assert "Messages" not in sqs.receive_message(QueueUrl=QUEUE)
    assert len(sqs.receive_message(QueueUrl=QUEUE)["Messages"]) == 1
    assert (api.repeated, api.reordered) == (1, 1)
    assert [operation for operation, _ in upstream.asked] == [
        "ReceiveMessage",
        "SendMessage",
        "ChangeMessageVisibility",
        "ReceiveMessage",
    ]
