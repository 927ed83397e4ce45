"""Errors as answers: one place says which status each has, and the body says what to do next (RFC 9457)."""

import logging
import os
from http import HTTPStatus
from typing import Any

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from contracts.errors import BadRequest, BrigadeError, TransientError
from contracts.redaction import redacted, secrets_of
from orchestrator.database import NotDeployed
from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.logs import LinesElsewhere
from orchestrator.once import KeyReused
from orchestrator.redrive import UnderWay
from orchestrator.service.pages import error_page

log = logging.getLogger("brigade.service")

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NoSuchRun, 404),
    (LinesElsewhere, 404),
    (HasEnded, 409),
    (UnderWay, 409),
    (KeyReused, 422),
    (NotDeployed, 503),
    (BadRequest, 400),
    (TransientError, 503),
    (BrigadeError, 500),
    (psycopg.Error, 503),
    (BotoCoreError, 503),
    (ClientError, 503),
)
"""The first that fits counts."""

RETRY_AFTER = 5
"""Seconds after which it is worth asking again, when something behind the service did not answer."""


class Problem(BaseModel):
    """An error. `detail` says what happened and what to do next; `error` is its class."""

    title: str
    status: int
    detail: str
    error: str


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> ProblemResponse:
    body = Problem(title=error, status=status, detail=_clean(detail), error=error)
    retry = {"Retry-After": str(RETRY_AFTER)} if status == 503 else {}
    return ProblemResponse(body.model_dump(), status, headers={**retry, **(headers or {})})


def status_of(error: Exception) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def answer_errors(app: FastAPI) -> None:
    """Make the app answer with problems whatever is raised."""
    for kind in (BrigadeError, psycopg.Error, BotoCoreError, ClientError):
        app.add_exception_handler(kind, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    status = status_of(error)
    detail = str(error) if isinstance(error, BrigadeError) else _of_others(error)
    if status >= 500:
        log.warning("%s %s: %s", request.method, request.url.path, _clean(detail))
    return told(request, problem(status, type(error).__name__, detail))


def told(request: Request, answer: ProblemResponse) -> Response:
    """The problem, or in a browser a page that says the same."""
    if not wants_page(request):
        return answer
    found = Problem.model_validate_json(bytes(answer.body))
    headers = {name: value for name, value in answer.headers.items() if name == "retry-after"}
    return HTMLResponse(error_page(HTTPStatus(found.status).phrase, found.detail), found.status, headers)


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _of_others(error: Exception) -> str:
    who = "the database" if isinstance(error, psycopg.Error) else "AWS"
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{who} did not answer as it should: {reason}; ask again in a moment"


async def _invalid(request: Request, error: Exception) -> Response:
    """Says where and why, and repeats nothing of what was sent."""
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()[:5])
    return told(request, problem(422, "Invalid", f"{wrong}; /openapi.json describes what is taken"))


def _place(loc: tuple[Any, ...]) -> str:
    return ".".join(str(part)[:64] for part in loc)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    name, detail = "Invalid", f"{error.detail}: send JSON in UTF-8; /openapi.json describes what is taken"
    if error.status_code in (404, 405):
        name = "NotServed"
        detail = f"{error.detail}: {request.method} is not served at this path; /openapi.json lists what is"
    return told(request, problem(error.status_code, name, detail, dict(error.headers or {})))


async def _unexpected(request: Request, error: Exception) -> ProblemResponse:
    log.error("%s %s: %s", request.method, request.url.path, _clean(repr(error)))
    return problem(500, "Unexpected", "something went wrong in the service: its log says what")


def _clean(text: str) -> str:
    """Without secrets, and without what no UTF-8 can carry."""
    return redacted(text, secrets_of(os.environ)).encode("utf-8", "backslashreplace").decode()
