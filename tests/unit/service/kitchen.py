"""A service whose runs are two that were made up, and that starts nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.testclient import TestClient

from contracts.errors import BadRequest
from orchestrator.history import HasEnded, NoSuchRun, RunHistory
from orchestrator.logs import Line
from orchestrator.operations import Begun, LocalOperations, RunAsked
from orchestrator.page import render
from orchestrator.page.content import RunOnPage
from orchestrator.service.app import create_app
from tests.unit.orchestrator_page.runs import BEGAN, Making, failed, line, running

TOKEN = "a-token-of-32-characters-at-least"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGES: dict[str, Making] = {"under-way": running(), "failed": failed()}
HERE = "http://127.0.0.1:8080"


class Kitchen:
    """Notes what it was asked for; `raising` is raised by whatever is asked for next."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.raising: Exception | None = None
        self.keys: dict[str, RunAsked] = {}

    def _note(self, *what: Any) -> None:
        if self.raising:
            raise self.raising
        self.asked.append(what)

    def ping(self) -> None:
        self._note("ping")

    def start(self, asked: RunAsked, key: str | None = None) -> Begun:
        self._note("start", asked, key)
        if asked.pipeline != "order-simulation":
            raise BadRequest(f"unknown pipeline '{asked.pipeline}': there is order-simulation")
        repeated = key is not None and key in self.keys
        if key:
            self.keys[key] = asked
        return Begun(run_id="new", repeated=repeated, waits_for=("publisher v1",))

    def runs(self, limit: int) -> list[dict[str, Any]]:
        self._note("runs", limit)
        return [_row(run_id, making) for run_id, making in PAGES.items()][:limit]

    def unfinished(self) -> list[str]:
        self._note("unfinished")
        return ["under-way"]

    def history(self, run_id: str) -> RunHistory:
        return self.look(run_id).history

    def look(self, run_id: str) -> RunOnPage:
        self._note("look", run_id)
        if run_id not in PAGES:
            raise NoSuchRun(f"there is no run '{run_id}': `brigade runs` lists them")
        return PAGES[run_id].page()

    def lines(self, run_id: str, component: str | None = None) -> list[Line]:
        self.look(run_id)
        return [line("publisher", "-", "publishes")]

    def page(self, run_id: str) -> bytes:
        return render(self.look(run_id))

    def stop(self, run_id: str) -> None:
        if self.look(run_id).history.status != "RUNNING":
            raise HasEnded(f"run {run_id} has FAILED already: there is nothing to stop")

    def redrive(self, run_id: str, style: str | None = None) -> None:
        self.look(run_id)
        self._note("redrive", run_id, style)


def _row(run_id: str, making: Making) -> dict[str, Any]:
    history = making.page().history
    taken = history.model_dump(include={"pipeline", "style", "date", "status", "cause", "versions"})
    return {**taken, "run_id": run_id, "degraded": False, "started_at": BEGAN, "seconds": history.duration}


def opened(kitchen: Kitchen) -> Callable[[], Any]:
    @contextmanager
    def operations() -> Iterator[LocalOperations]:
        yield cast("LocalOperations", kitchen)

    return operations


def service(kitchen: Kitchen, token: str | None = TOKEN) -> TestClient:
    """Errors of the server are answered, as uvicorn does."""
    app = create_app(opened(kitchen), token)
    return TestClient(app, base_url=HERE, raise_server_exceptions=False, follow_redirects=False)
