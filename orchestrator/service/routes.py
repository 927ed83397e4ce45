"""What is served. No logic: each route hands over to `orchestrator.operations`."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.history import RunHistory
from orchestrator.operations import Begun, ListedRun, LocalOperations, RunAsked
from orchestrator.service.errors import Problem, ProblemResponse, wants_page
from orchestrator.service.pages import list_page, run_page

MOST = 1000
"""Runs in one list."""

Style = Literal["orchestrated", "choreographed"]
Name = Annotated[str, Field(max_length=64)]
RunId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Any text of your own. The same key with the same body gives the run that it started first.",
    ),
]


def _only_text(value: Any) -> Any:
    """pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("write YYYY-MM-DD")
    return value


class StartBody(BaseModel):
    """The run that is asked for. `date` is the day it plans from; `flags` choose a component's version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pipeline: Name
    date: Annotated[date, BeforeValidator(_only_text)]
    style: Style = "orchestrated"
    flags: dict[Name, Name] = Field(default_factory=dict, max_length=20)
    seed: int = Field(1, ge=0, le=2**53 - 1, strict=True)


class RedriveBody(BaseModel):
    """The run's own style unless another is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Style | None = None


class RunNow(BaseModel):
    run_id: str
    status: Literal["RUNNING", "FAILED"]


class Healthy(BaseModel):
    status: Literal["ok"] = "ok"


def operations(request: Request) -> Iterator[LocalOperations]:
    """For one request."""
    with request.app.state.operations() as found:
        yield found


Ops = Annotated[LocalOperations, Depends(operations)]
HTML: dict[str, Any] = {"content": {"text/html": {}}, "description": "JSON; a page where text/html is accepted."}
FAILURES: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in (
        (400, "It cannot be served as it is asked for."),
        (401, "The token is missing or wrong."),
        (403, "Basic may only read; without a token only this machine is served."),
        (422, "It is not understood."),
        (503, "The database or AWS does not answer, or nothing is deployed."),
    )
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
GONE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such run."}}
ENDED: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "The run is not in a state for it."}}
LONG: dict[int | str, dict[str, Any]] = {413: {"model": Problem, "description": "The body is too long."}}

public = APIRouter()
router = APIRouter(dependencies=[Security(HTTPBearer(auto_error=False))], responses=FAILURES)


@public.get("/health", responses={503: FAILURES[503]})
def health(ops: Ops) -> Healthy:
    """Whether this replica and its database answer. Needs no token."""
    ops.ping()
    return Healthy()


@router.get("/", include_in_schema=False)
def root() -> Response:
    return RedirectResponse("/runs")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    return describe(request.app.openapi())


@router.post("/runs", status_code=201, responses={200: {"model": Begun}, **LONG})
def start(ops: Ops, body: StartBody, response: Response, key: Key = None) -> Begun:
    """Start a run: 201, or 200 when the same key has started it before. Without a key each request starts one."""
    begun = ops.start(RunAsked.model_validate(body.model_dump()), key)
    response.headers["Location"] = f"/runs/{begun.run_id}"
    response.status_code = 200 if begun.repeated else 201
    return begun


@router.get("/runs", response_model=list[ListedRun], responses={200: HTML})
def runs(ops: Ops, request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 20) -> Any:
    """The latest runs, newest first."""
    found = [ListedRun.model_validate(row) for row in ops.runs(limit)]
    return list_page(found) if wants_page(request) else found


@router.get("/unfinished")
def unfinished(ops: Ops) -> list[str]:
    """The runs under way, and those that failed although no step of theirs did."""
    return ops.unfinished()


@router.get("/runs/{run_id}", response_model=RunHistory, responses={200: HTML, **GONE})
def history(ops: Ops, run_id: RunId, request: Request) -> Any:
    """Every attempt at every step, in one form for both styles."""
    return run_page(ops.look(run_id)) if wants_page(request) else ops.history(run_id)


@router.get("/runs/{run_id}/logs", responses=GONE)
def logs(ops: Ops, run_id: RunId, component: Annotated[Name | None, Query()] = None) -> list[dict[str, Any]]:
    """All workers' log lines of the run, in the order of time."""
    return ops.lines(run_id, component)


@router.get("/runs/{run_id}/page", response_class=Response, responses={200: {"content": {"text/html": {}}}, **GONE})
def page(ops: Ops, run_id: RunId) -> Response:
    """The run as one file that needs nothing else, as of now."""
    return Response(ops.page(run_id), media_type="text/html")


@router.post("/runs/{run_id}/stop", responses={**GONE, **ENDED})
def stop(ops: Ops, run_id: RunId) -> RunNow:
    """End a run that is under way. A redrive goes on with it."""
    ops.stop(run_id)
    return RunNow(run_id=run_id, status="FAILED")


@router.post("/runs/{run_id}/redrive", responses={**GONE, **ENDED, **LONG})
def redrive(ops: Ops, run_id: RunId, body: RedriveBody | None = None) -> RunNow:
    """Set a failed or stuck run going again; what is done is not done again."""
    ops.redrive(run_id, body.style if body else None)
    return RunNow(run_id=run_id, status="RUNNING")


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the type that errors have: FastAPI takes them for what the route gives."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {ProblemResponse.media_type: {"schema": PROBLEM}}
    return document
