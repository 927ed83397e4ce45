"""`brigade forecast-api` as a process of the embedded stack, on a free port of the loopback interface."""

import importlib.util
import os
import socket
import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

from contracts.component import AMAZON_FORECAST, Component
from contracts.errors import BadRequest
from orchestrator.embedded import stack
from orchestrator.embedded.code import made_of
from orchestrator.embedded.home import Home
from orchestrator.embedded.localstack import free_port, probe
from orchestrator.embedded.processes import (
    ONE_THREAD,
    ProcessRecord,
    find_record,
    replace_file,
    start_process,
    stop_process,
    wait_until_ready,
)
from orchestrator.embedded.stack import Endpoints

NAME = "forecast-api"

NEEDED = ("starlette", "uvicorn", "statsforecast", "regex")


def argv(*arguments: str) -> list[str]:
    """The service's own command line. Raises BadRequest when what it needs is not installed."""
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            raise BadRequest(f"{name} is not installed: install brigade with its extra `forecast-api`")
    return [sys.executable, "-m", "services.forecast_api", *arguments]


def is_wanted(components: Iterable[Component]) -> bool:
    """Whether one of them calls Amazon Forecast, and nobody has said where that is."""
    calls = any(AMAZON_FORECAST in component.uses for component in components)
    return calls and not os.environ.get("AWS_ENDPOINT_URL_FORECAST")


def start_forecast_api(home: Home, endpoints: Endpoints) -> Endpoints:
    """Start it beside the rest, unless it runs, and give the endpoints with its own. Call it within `home.exclusive`.

    One whose code, or whose LocalStack's address, has changed since it was started is started anew: it goes on with its jobs.
    Raises StackFailed when it does not become ready, BadRequest when it is not installed.
    """
    made = made_of("forecast_api", f"{endpoints.aws_endpoint_url} {endpoints.database_url}")
    running = find_record(home, NAME)
    if running and running.code != made:
        stop_process(running)
    record = stack.running_or(lambda home: _start(home, endpoints, made), home, NAME)
    wait_until_ready(record, lambda: probe(f"{record.url}/health"))
    found = endpoints.model_copy(update={"forecast_url": record.url})
    replace_file(home.endpoints, found.model_dump_json())
    return found


def _port_of(url: str | None) -> int | None:
    """The one it had before, unless somebody else has it now: workers that know it need no restart."""
    port = urlsplit(url).port if url else None
    if port is None:
        return None
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return None
    return port


def _start(home: Home, endpoints: Endpoints, made: str) -> ProcessRecord:
    port = _port_of(endpoints.forecast_url) or free_port()
    environment = {**os.environ, **ONE_THREAD, **endpoints.environment()}
    url = f"http://127.0.0.1:{port}"
    return start_process(home, NAME, argv("--port", str(port)), environment, url=url, code=made)
