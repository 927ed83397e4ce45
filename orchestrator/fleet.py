"""The workers of every component as background processes of the embedded stack."""

import os
import sys
from collections.abc import Callable, Sequence

from contracts.component import AMAZON_FORECAST, Component
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.embedded import code
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import (
    ONE_THREAD,
    NotReady,
    ProcessRecord,
    find_record,
    is_alive,
    start_process,
    stop_processes,
    wait_until_ready,
)
from orchestrator.embedded.stack import Endpoints
from orchestrator.template import queue_name

SHORT_POLL = 5
"""Seconds, on our own LocalStack: a stopping worker waits for its poll, and so does whoever typed `down`."""


def made_of(component: Component, endpoints: Endpoints) -> str:
    """Of a worker's code and of where its AWS and its database are: when it differs, a running one is of no use."""
    places = f"{endpoints.aws_endpoint_url} {endpoints.database_url}"
    if AMAZON_FORECAST in component.uses:
        places += f" {endpoints.forecast_url}"
    return code.made_of(component.module, places)


def worker_argv(component: Component, version: str) -> list[str]:
    return [sys.executable, "-m", "services.runtime", component.name, "--version", version]


def worker_environment(
    endpoints: Endpoints, deployment: Deployment, component: Component, version: str
) -> dict[str, str]:
    return {
        **os.environ,
        **ONE_THREAD,
        **endpoints.environment(),
        **deployment.worker_environment(component, version),
        "PYTHONUNBUFFERED": "1",
        **({"BRIGADE_POLL_SECONDS": str(SHORT_POLL)} if endpoints.embedded_aws else {}),
    }


def start_fleet(
    home: Home,
    connection: Connection,
    endpoints: Endpoints,
    deployment: Deployment,
    wanted: Sequence[tuple[Component, str]],
    progress: Callable[[str], None],
) -> list[ProcessRecord]:
    """Start a worker for each component and version that is wanted and has none; wait until all report. Raises StackFailed.

    A worker whose code, or whose LocalStack's address, has changed since it was started is stopped first: its runs go on with
    the new one. `progress` gets a sentence for each that is restarted or ready.
    """
    missing, ended = [], []
    for component, version in wanted:
        name = queue_name(component, version)
        # Read before the worker reads it: what is edited in between makes the next `up` restart it.
        made = made_of(component, endpoints)
        running = find_record(home, name)
        if running and is_alive(running):
            if running.code == made:
                continue
            progress(f"restarting {name}: its code or its stack has changed")
        if running:
            ended.append(running)
        missing.append((component, version, name, made))
    stop_processes(ended)
    records = []
    for component, version, name, made in missing:
        log = str(home.logs / f"{name}.log")
        environment = worker_environment(endpoints, deployment, component, version) | {"BRIGADE_LOG_LOCATION": log}
        records.append(start_process(home, name, worker_argv(component, version), environment, code=made))
    for record in records:
        wait_until_ready(record, reports(connection, record.pid))
        progress(f"{record.name} is ready")
    return records


def reports(connection: Connection, pid: int) -> Callable[[], None]:
    """A probe for `wait_until_ready`: has this worker said that it is alive?"""
    query = "SELECT 1 AS found FROM workers WHERE pid = %(pid)s AND seen_at > now() - interval '10 seconds'"

    def probe() -> None:
        if not fetch_all(connection, query, {"pid": pid}):
            raise NotReady("it has not reported yet")

    return probe


def missing_workers(connection: Connection, wanted: set[tuple[str, str]]) -> list[str]:
    """Of the wanted (component, version), those that no worker has reported for in the last 15 seconds."""
    query = "SELECT DISTINCT component, version FROM workers WHERE seen_at > now() - interval '15 seconds'"
    seen = {(row["component"], row["version"]) for row in fetch_all(connection, query)}
    return [f"{component} {version}" for component, version in sorted(wanted - seen)]
