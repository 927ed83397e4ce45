"""`orchestrator.operations` through a service: what `brigade --url` uses. It needs the standard library only."""

import http.client
import json
import uuid
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pydantic import TypeAdapter, ValidationError

from contracts.errors import BadRequest, TransientError
from orchestrator.history import HasEnded, NoSuchRun, RunHistory
from orchestrator.logs import Line
from orchestrator.operations import Begun, ListedRun, RunAsked
from orchestrator.redrive import UnderWay

TIMEOUT = 120
"""Seconds: a start may wait for AWS."""

T = TypeVar("T")

_BEGUN = TypeAdapter(Begun)
_RUNS = TypeAdapter(tuple[ListedRun, ...])
_NAMES = TypeAdapter(list[str])
_HISTORY = TypeAdapter(RunHistory)
_LINES = TypeAdapter(list[Line])
_ERRORS: dict[str, type[BadRequest]] = {kind.__name__: kind for kind in (NoSuchRun, HasEnded, UnderWay)}


class _Here(HTTPRedirectHandler):
    """Follows nowhere: the token is for the service that was named."""

    def redirect_request(self, *_: object) -> None:
        return None


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # of brackets that are not closed
        return urlsplit("")


class Client:
    """Raises BadRequest when the service refuses, and TransientError when it fails or does not answer."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = _parts(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadRequest(f"'{url}' is no service's URL: write http://HOST:PORT or https://HOST")
        if parts.username or parts.password:
            raise BadRequest("a URL with a name or a password in it is not taken: set BRIGADE_TOKEN")
        self._url = url.rstrip("/")
        self._token = token
        self._opener = build_opener(_Here)

    def start(self, asked: RunAsked, key: str | None = None) -> Begun:
        """With a key of its own where none is given, so that it can be sent again when the answer was lost."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        body = asked.model_dump(mode="json")
        try:
            answer = self._send("POST", "/runs", body, headers)
        except TransientError:
            answer = self._send("POST", "/runs", body, headers)
        return self._understood(_BEGUN, answer)

    def runs(self, limit: int) -> list[dict[str, Any]]:
        return [run.model_dump() for run in self._read(_RUNS, f"/runs?limit={limit}")]

    def unfinished(self) -> list[str]:
        return self._read(_NAMES, "/unfinished")

    def history(self, run_id: str) -> RunHistory:
        return self._read(_HISTORY, _of(run_id))

    def lines(self, run_id: str, component: str | None = None) -> list[Line]:
        only = f"?{urlencode({'component': component})}" if component else ""
        return self._read(_LINES, f"{_of(run_id)}/logs{only}")

    def page(self, run_id: str) -> bytes:
        return self._send("GET", f"{_of(run_id)}/page")

    def stop(self, run_id: str) -> None:
        self._send("POST", f"{_of(run_id)}/stop")

    def redrive(self, run_id: str, style: str | None = None) -> None:
        self._send("POST", f"{_of(run_id)}/redrive", {"style": style})

    def _read(self, kind: TypeAdapter[T], path: str) -> T:
        return self._understood(kind, self._send("GET", path))

    def _understood(self, kind: TypeAdapter[T], answer: bytes) -> T:
        try:
            return kind.validate_json(answer)
        except ValidationError as error:
            raise BadRequest(self._no_service(HTTPStatus.OK)) from error

    def _no_service(self, status: int) -> str:
        return f"{self._url} answered {status} and not as `brigade serve` does: check --url, or BRIGADE_URL"

    def _send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
        data = b"" if method == "POST" and body is None else None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, headers or {}, method=method)  # noqa: S310 - the scheme was checked
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            with error:
                raise self._refusal(error.code, error.read()) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise TransientError(
                f"no answer from {self._url}: {reason}; is `brigade serve` running there? see --url and BRIGADE_URL"
            ) from error

    def _refusal(self, status: int, body: bytes) -> BadRequest | TransientError:
        try:
            found = json.loads(body)
            name, detail = str(found["error"]), str(found["detail"])
        except (ValueError, KeyError, TypeError):
            name, detail = "", self._no_service(status)
        if status >= 500:
            return TransientError(detail)
        return _ERRORS.get(name, BadRequest)(detail)


def _of(run_id: str) -> str:
    return f"/runs/{quote(run_id, safe='')}"
