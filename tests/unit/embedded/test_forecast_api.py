"""`brigade forecast-api` beside the embedded stack: whether it is wanted, and where it listens."""

import importlib.util
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION, PIPELINES, all_components
from orchestrator.embedded import forecast_api
from orchestrator.embedded.forecast_api import argv, is_wanted, start_forecast_api
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import ONE_THREAD, ProcessRecord
from orchestrator.embedded.stack import FORECAST, Endpoints, read_endpoints
from tests.unit.contracts.kitchen import HOST

ENDPOINTS = Endpoints(aws_endpoint_url="http://127.0.0.1:1", database_url="postgresql://ours")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FORECAST:
        monkeypatch.delenv(name, raising=False)


def test_it_is_wanted_where_a_component_calls_amazon_forecast() -> None:
    assert is_wanted(all_components(PIPELINES))
    assert not is_wanted(all_components((ORDER_SIMULATION,)))
    assert not is_wanted([HOST])
    assert not is_wanted([])


def test_it_is_not_wanted_where_somebody_said_where_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_FORECAST", "https://forecast.us-east-1.amazonaws.com")
    assert not is_wanted(all_components(PIPELINES))


def test_what_is_missing_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "statsforecast" else find_spec(name))
    with pytest.raises(
        BadRequest, match="statsforecast is not installed: install brigade with its extra `forecast-api`"
    ):
        argv()


def test_its_command_line() -> None:
    assert argv("--port", "7") == [sys.executable, "-m", "services.forecast_api", "--port", "7"]


class Started:
    """Processes that were started, in words."""

    def __init__(self, home: Home) -> None:
        self.asked: list[tuple[list[str], dict[str, str]]] = []
        self._home = home

    def __call__(
        self, home: Home, name: str, argv: list[str], env: dict[str, str], *, url: str, code: str
    ) -> ProcessRecord:
        self.asked.append((argv, env))
        log, path = home.logs / f"{name}.log", home.records / name
        return ProcessRecord(name=name, pid=1, started=0, mark="m", argv=tuple(argv), log=log, path=path, url=url)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def started(home: Home, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Nothing is started for real, and it is ready at once."""
    made = Started(home)
    monkeypatch.setattr(forecast_api, "start_process", made)
    monkeypatch.setattr(forecast_api, "wait_until_ready", lambda record, probe: None)
    return made


def port_of(started: Started) -> int:
    return int(started.asked[-1][0][-1])


def test_its_place_is_among_the_endpoints(home: Home, started: Started) -> None:
    found = start_forecast_api(home, ENDPOINTS)
    assert found == ENDPOINTS.model_copy(update={"forecast_url": f"http://127.0.0.1:{port_of(started)}"})
    assert read_endpoints(home) == found
    assert {found.environment()[name] for name in FORECAST} == {found.forecast_url}
    environment = started.asked[0][1]
    assert {**ONE_THREAD, "DATABASE_URL": "postgresql://ours"}.items() <= environment.items()


def test_it_has_the_port_that_it_had_before(home: Home, started: Started) -> None:
    """Workers that know it need no restart."""
    found = start_forecast_api(home, ENDPOINTS)
    assert start_forecast_api(home, found) == found


def test_it_has_another_port_where_somebody_took_its_own(home: Home, started: Started) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: Any = taken.getsockname()[1]
        before = ENDPOINTS.model_copy(update={"forecast_url": f"http://127.0.0.1:{port}"})
        found = start_forecast_api(home, before)
    assert found.forecast_url == f"http://127.0.0.1:{port_of(started)}"
    assert port_of(started) != port
