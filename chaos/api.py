"""Between workers and LocalStack, at the level of AWS calls: refuses some, loses answers, repeats and reorders deliveries."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from chaos.background import Background

Json = dict[str, Any]

DROPPED = ("host", "content-length", "transfer-encoding", "connection", "keep-alive")
"""Headers that are between two neighbours only, or that the client computes."""


@dataclass(eq=False)
class Rule:
    """What happens to calls of a service, of one operation if it is named; to this share of them, at most `times`.

    They are refused with `status` and `code`, unless `lose_answer`: then they are carried out and the connection breaks.
    """

    service: str
    operation: str = ""
    share: float = 1.0
    times: int | None = None
    status: int = 503
    code: str = "SlowDown"
    lose_answer: bool = False
    applied: int = 0


@dataclass(frozen=True)
class Call:
    service: str
    operation: str


class Api:
    """`upstream` is LocalStack's URL. Rules may be changed from any thread, at any time."""

    def __init__(self, background: Background, upstream: str, random: Random) -> None:
        self._background = background
        self._upstream = upstream
        self._random = random
        self._rules: list[Rule] = []
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._copies: set[str] = set()
        self._seen: set[str] = set()
        self.disorder = 0.0
        """The share of messages that are delivered once more, and of those that are delivered later than others."""
        self.repeated = 0
        self.reordered = 0
        self.calls: Counter[Call] = Counter()
        self.answers: Counter[str] = Counter()
        """How often each step was answered: by the task token, or the id of its event."""

    @property
    def port(self) -> int:
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    @contextmanager
    def listening(self) -> Iterator["Api"]:
        self._background.run(self._open())
        try:
            yield self
        finally:
            self._background.run(self._close())

    def refuse(self, rule: Rule) -> Rule:
        """From now on. Gives the rule, which counts."""
        self._rules = [*self._rules, rule]
        return rule

    def allow(self, rules: Sequence[Rule]) -> None:
        """These rules are no more."""
        self._rules = [rule for rule in self._rules if rule not in rules]

    def restore(self) -> None:
        """As at first: everything is passed on."""
        self._rules = []
        self.disorder = 0.0

    def move(self, upstream: str) -> None:
        """LocalStack was started again, somewhere else."""
        self._upstream = upstream

    async def _open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=90)
        self._session = aiohttp.ClientSession(
            auto_decompress=False, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
        )
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def _close(self) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = _call(request, body)
        self.calls[call] += 1
        rule = self._rule_for(call)
        if rule and not rule.lose_answer:
            return _refusal(rule, call)
        status, headers, content = await self._pass_on(request, body)
        if status == web.HTTPOk.status_code:
            self.answers.update(_answered(call, body))
        if rule and request.transport is not None:
            request.transport.abort()
        if call == Call("sqs", "ReceiveMessage") and self.disorder and status == web.HTTPOk.status_code:
            content = await self._disturb(request, body, content)
        return web.Response(status=status, headers=headers, body=content)

    def _rule_for(self, call: Call) -> Rule | None:
        for rule in self._rules:
            fits = rule.service == call.service and rule.operation in ("", call.operation)
            left = rule.times is None or rule.applied < rule.times
            if fits and left and self._random.random() < rule.share:
                rule.applied += 1
                return rule
        return None

    async def _pass_on(self, request: web.Request, body: bytes) -> tuple[int, CIMultiDict[str], bytes]:
        assert self._session is not None
        url = URL(self._upstream + request.raw_path, encoded=True)
        headers = _kept(request.headers)
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                content = await answer.read()
                kept = _kept(answer.headers)
                if request.method == "HEAD" and "Content-Length" in answer.headers:
                    kept["Content-Length"] = answer.headers["Content-Length"]
                return answer.status, kept, content
        except aiohttp.ClientError as error:
            raise web.HTTPBadGateway(text=str(error)) from error

    async def _disturb(self, request: web.Request, body: bytes, content: bytes) -> bytes:
        """Send copies of some messages, and put others back for a while, each once."""
        url = json.loads(body)["QueueUrl"]
        kept = []
        for message in json.loads(content).get("Messages", []):
            number = message["MessageId"]
            first = number not in self._seen
            self._seen.add(number)
            if first and number not in self._copies and self._random.random() < self.disorder:
                await self._repeat(request, url, message)
            if first and self._random.random() < self.disorder:
                self.reordered += 1
                later = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 1}
                await self._sqs(request, "ChangeMessageVisibility", later)
            else:
                kept.append(message)
        return json.dumps({"Messages": kept} if kept else {}).encode()

    async def _repeat(self, request: web.Request, url: str, message: Json) -> None:
        self.repeated += 1
        copy: Json = {"QueueUrl": url, "MessageBody": message["Body"], "DelaySeconds": self._random.randrange(4)}
        if attributes := message.get("MessageAttributes"):
            copy["MessageAttributes"] = attributes
        sent = await self._sqs(request, "SendMessage", copy)
        self._copies.add(sent["MessageId"])

    async def _sqs(self, request: web.Request, operation: str, parameters: Json) -> Json:
        """A call of our own, in the name of whoever made the request. LocalStack looks at no signature."""
        assert self._session is not None
        headers = {
            "Authorization": request.headers["Authorization"],
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{operation}",
        }
        async with self._session.post(self._upstream, headers=headers, data=json.dumps(parameters)) as answer:
            answer.raise_for_status()
            text = await answer.read()
        found: Json = json.loads(text) if text else {}
        return found


def _call(request: web.Request, body: bytes) -> Call:
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", request.headers.get("Authorization", ""))
    service = scope.group(1) if scope else ""
    target = request.headers.get("X-Amz-Target", "")
    if target:
        return Call(service, target.rpartition(".")[2])
    if request.content_type == "application/x-www-form-urlencoded":
        return Call(service, parse_qs(body.decode()).get("Action", [""])[0])
    return Call(service, request.method)


def _answered(call: Call, body: bytes) -> list[str]:
    if call == Call("states", "SendTaskSuccess"):
        return [json.loads(body)["taskToken"]]
    if call == Call("sns", "PublishBatch"):
        fields = parse_qs(body.decode())
        return [json.loads(values[0])["id"] for name, values in fields.items() if name.endswith(".Message")]
    return []


def _kept(headers: Any) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in DROPPED)


def _refusal(rule: Rule, call: Call) -> web.Response:
    """In the form of the service's own errors."""
    message = "planted: reduce your request rate"
    if call.service in ("sqs", "states"):
        text = json.dumps({"__type": rule.code, "message": message})
        return web.Response(status=rule.status, text=text, content_type="application/x-amz-json-1.0")
    inner = f"<Error><Code>{rule.code}</Code><Message>{message}</Message></Error>"
    text = inner if call.service == "s3" else f"<ErrorResponse>{inner}<RequestId>-</RequestId></ErrorResponse>"
    return web.Response(status=rule.status, text=text, content_type="text/xml")
