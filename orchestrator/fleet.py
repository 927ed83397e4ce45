"""The workers of every component as background processes of the embedded stack."""

import os
import sys
from collections.abc import Callable

from contracts.component import Component
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import (
    NotReady,
    ProcessRecord,
    find_record,
    is_alive,
    start_process,
    stop_process,
    wait_until_ready,
)
from orchestrator.embedded.stack import Endpoints
from orchestrator.template import queue_name

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Workers share the machine's cores; and sums in one order give the same forecast everywhere."""

SHORT_POLL = 5
"""Seconds, on our own LocalStack: a stopping worker waits for its poll, and so does whoever typed `down`."""


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
    components: tuple[Component, ...],
    progress: Callable[[str], None],
) -> list[ProcessRecord]:
    """Start a worker for each component and version that has none, and wait until all report. Raises StackFailed."""
    records = []
    for component in components:
        for version in component.versions:
            name = queue_name(component, version)
            running = find_record(home, name)
            if running and is_alive(running):
                continue
            if running:
                stop_process(running)
            log = str(home.logs / f"{name}.log")
            environment = worker_environment(endpoints, deployment, component, version) | {"BRIGADE_LOG_LOCATION": log}
            records.append(start_process(home, name, worker_argv(component, version), environment))
    for record in records:
        wait_until_ready(record, reports(connection, record.pid))
        progress(record.name)
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
