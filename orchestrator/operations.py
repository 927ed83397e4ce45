"""What can be asked of runs: the same of the database and AWS as of a service (`orchestrator.service.client`)."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Protocol

from pydantic import Field

from contracts.message import Frozen
from contracts.pipelines import PIPELINES, component_named, pipeline_named
from orchestrator.aws import Aws
from orchestrator.database import Connection
from orchestrator.deploy import Deployment
from orchestrator.fleet import missing_workers
from orchestrator.history import RunHistory, list_runs, read_history
from orchestrator.logs import Line, run_lines
from orchestrator.once import Asked, start_once
from orchestrator.page import render
from orchestrator.page.content import RunOnPage, read_page
from orchestrator.redrive import redrive_run, unfinished_runs
from orchestrator.start import check_asked, chosen_versions, start_run
from orchestrator.stop import stop_run


class RunAsked(Frozen):
    """What a run is asked to be. `flags` choose a component's version; `date` is the day the run plans from."""

    pipeline: str
    date: date
    style: str = "orchestrated"
    flags: dict[str, str] = Field(default_factory=dict)
    seed: int = 1


class Begun(Frozen):
    """A run that was started now, or by an earlier request with the same key: `repeated` then.

    `waits_for` names components and versions that no worker has reported for lately: the run waits until one does.
    """

    run_id: str
    repeated: bool = False
    waits_for: tuple[str, ...] = ()


class ListedRun(Frozen):
    """`versions` are those of components that have several, as order-simulator=v2."""

    run_id: str
    pipeline: str
    style: str
    date: date
    status: str
    degraded: bool
    cause: str | None
    started_at: datetime
    seconds: float
    versions: tuple[str, ...] = ()


class Operations(Protocol):
    """Each raises a BrigadeError that says what to do next: NoSuchRun, HasEnded, UnderWay and other BadRequests among them."""

    def start(self, asked: RunAsked, key: str | None = None) -> Begun: ...
    def runs(self, limit: int) -> list[dict[str, Any]]: ...
    def unfinished(self) -> list[str]: ...
    def history(self, run_id: str) -> RunHistory: ...
    def lines(self, run_id: str, component: str | None = None) -> list[Line]: ...
    def page(self, run_id: str) -> bytes: ...
    def stop(self, run_id: str) -> None: ...
    def redrive(self, run_id: str, style: str | None = None) -> None: ...


class LocalOperations:
    """On one connection to the database; the AWS clients and the deployment are made when they are needed first."""

    def __init__(self, aws: Callable[[], Aws], connection: Connection, deployment: Callable[[], Deployment]) -> None:
        self._aws = aws
        self._connection = connection
        self._deployment = deployment

    def start(self, asked: RunAsked, key: str | None = None) -> Begun:
        pipeline = pipeline_named(asked.pipeline)
        check_asked(pipeline, asked.style, asked.flags)
        wanted = Asked(pipeline, asked.style, asked.date, asked.flags, asked.seed)
        aws, deployment = self._aws(), self._deployment()
        versions = {(component.name, version) for component, version in chosen_versions(pipeline, asked.flags)}
        missing = tuple(missing_workers(self._connection, versions))
        if key is None:
            plain = (wanted.pipeline, wanted.style, wanted.date, wanted.flags, wanted.seed)
            return Begun(run_id=start_run(aws, self._connection, deployment, *plain).run_id, waits_for=missing)
        once = start_once(aws, self._connection, deployment, f"key {key}", wanted)
        return Begun(run_id=once.run_id, repeated=once.repeated, waits_for=missing)

    def ping(self) -> None:
        self._connection.execute("SELECT 1")

    def runs(self, limit: int) -> list[dict[str, Any]]:
        return list_runs(self._connection, limit)

    def unfinished(self) -> list[str]:
        return unfinished_runs(self._connection)

    def history(self, run_id: str) -> RunHistory:
        return read_history(self._connection, run_id)

    def lines(self, run_id: str, component: str | None = None) -> list[Line]:
        if component:
            component_named(component, PIPELINES)
        return run_lines(self._connection, run_id, component)

    def page(self, run_id: str) -> bytes:
        return render(self.look(run_id))

    def look(self, run_id: str) -> RunOnPage:
        """What the run page says."""
        return read_page(self._connection, run_id)

    def stop(self, run_id: str) -> None:
        stop_run(self._aws(), self._connection, run_id)

    def redrive(self, run_id: str, style: str | None = None) -> None:
        redrive_run(self._aws(), self._connection, self._deployment(), run_id, style)
