"""One stack for all measured runs: a worker of each component and version, each with a line of its own to the database."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chaos.background import Background, background
from chaos.compare.subject import Subject
from chaos.faults import Faults
from chaos.fleet import Fleet
from chaos.proxy import Line
from chaos.stage import environment
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded import stack
from orchestrator.embedded.forecast_api import start_forecast_api
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import start_process
from orchestrator.embedded.stack import Endpoints
from orchestrator.fleet import worker_environment
from orchestrator.measure import settle

PREFIX = "compare"


@dataclass
class Workers(Fleet):
    """By place, `component/version`. Those that are `away` are not replaced."""

    module: str = ""
    subject: Subject | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def dead(self) -> list[str]:
        return [place for place in super().dead() if place not in self.away]

    def _start(self, place: str, extra: dict[str, str]) -> None:
        assert self.subject is not None
        self.started += 1
        name, _, version = place.partition("/")
        component, line = self.subject.component(name), self.lines[name]
        worker = f"{name}-{version}-{self.started}"
        database = f"postgresql://postgres@127.0.0.1:{line.port}/postgres?sslmode=disable&connect_timeout=5"
        seen = self.endpoints.model_copy(update={"database_url": database})
        variables = {
            "BRIGADE_WORKER_NAME": worker,
            "BRIGADE_LOG_LOCATION": str(self.home.logs / f"{worker}.log"),
            "BRIGADE_POLL_SECONDS": "1",
            "CHAOS_FAULTS": str(self.faults.folder),
        }
        variables = worker_environment(seen, self.deployment, component, version) | variables | extra
        argv = (sys.executable, "-m", "chaos.compare.worker", self.module, name, version)
        self.running[place] = start_process(self.home, worker, argv, variables)


@dataclass(frozen=True)
class Site:
    """`lines` are those between each component's workers and the database; `connection` is the driver's own.

    `forecast` is the line between all workers and Amazon Forecast's API, where a component calls that.
    """

    home: Home
    subject: Subject
    aws: Aws
    connection: Connection
    deployment: Deployment
    faults: Faults
    lines: Mapping[str, Line]
    workers: Workers
    forecast: Line | None = None

    @property
    def places(self) -> list[str]:
        return [f"{component.name}/{version}" for component, version in self.subject.workers]

    def places_of(self, component: str) -> list[str]:
        return [place for place in self.places if place.startswith(f"{component}/")]

    def restore(self) -> None:
        """As at first: no fault waits, every line passes, every place has a worker that reports."""
        self.faults.clear()
        self.workers.away.clear()
        for line in (*self.lines.values(), *((self.forecast,) if self.forecast else ())):
            line.restore()
        stopped = [place for place in self.places if place not in self.workers.running]
        self.workers.start(*stopped, *self.workers.dead())

    def settle(self) -> bool:
        """Wait until nothing is under way. False when it takes too long."""
        urls = [self.deployment.queue_url(component, version) for component, version in self.subject.workers]
        return settle(self.aws, self.connection, urls, seconds=60)

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in fetch_all(self.connection, query, parameters)]


@contextmanager
def open_site(home: Home, module: str, subject: Subject) -> Iterator[Site]:
    """A stack in this home with the subject deployed and its data loaded; no worker is started yet."""
    with ExitStack() as exits:
        exits.enter_context(environment())
        exits.callback(stack.stop, home)
        endpoints = stack.start(home)
        os.environ.update(endpoints.environment())
        connection = exits.enter_context(connect(endpoints.database_url))
        aws = Aws()
        deployment = deploy(aws, connection, (subject.pipeline,), PREFIX)
        subject.prepare(endpoints.database_url)
        faults = Faults(home.path / "faults")
        faults.create()
        behind = exits.enter_context(background())
        socket = str(home.postgres / ".s.PGSQL.5432")
        lines = {
            component.name: exits.enter_context(Line(behind, lambda: asyncio.open_unix_connection(socket)).listening())
            for component in subject.pipeline.components
        }
        forecast = None
        if subject.calls_amazon_forecast:
            forecast = exits.enter_context(_forecast_line(home, endpoints, behind))
            endpoints = endpoints.model_copy(update={"forecast_url": f"http://127.0.0.1:{forecast.port}"})
        workers = Workers(home, connection, endpoints, deployment, faults, module=module, subject=subject, lines=lines)
        exits.callback(workers.stop)
        yield Site(home, subject, aws, connection, deployment, faults, lines, workers, forecast)


def _forecast_line(home: Home, endpoints: Endpoints, behind: Background) -> AbstractContextManager[Line]:
    """To `brigade forecast-api`, which is started, whatever else the environment names."""
    url = urlsplit(start_forecast_api(home, endpoints).forecast_url or "")
    return Line(behind, lambda: asyncio.open_connection(url.hostname, url.port)).listening()
