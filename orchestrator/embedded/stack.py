"""The embedded stack as one thing: LocalStack and PostgreSQL, each unless the environment names another."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts.errors import BadRequest
from contracts.message import Frozen
from orchestrator.embedded import localstack, postgres
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import (
    ProcessRecord,
    find_record,
    is_alive,
    read_records,
    replace_file,
    stop_process,
    stop_processes,
)

REGION = "us-east-1"

AWS_ITSELF = "https://amazonaws.com"
"""Stands for AWS, whose services have an endpoint each. The SDKs ignore it where `is_aws_itself`."""


FORECAST = ("AWS_ENDPOINT_URL_FORECAST", "AWS_ENDPOINT_URL_FORECASTQUERY")
"""The SDKs' own variables for the two services."""


class Endpoints(Frozen):
    """Where AWS and PostgreSQL are. `embedded_aws` tells LocalStack of our own from one that AWS_ENDPOINT_URL named.

    `forecast_url` is where `brigade forecast-api` stands in for Amazon Forecast, if it does.
    """

    aws_endpoint_url: str
    database_url: str
    embedded_aws: bool = True
    forecast_url: str | None = None

    def environment(self) -> dict[str, str]:
        """The variables that point boto3 and Brigade's programs here.

        Credentials and region are LocalStack's own when it is embedded, and untouched otherwise. A proxy of the user's is
        not asked for it.
        """
        variables = {"AWS_ENDPOINT_URL": self.aws_endpoint_url, "DATABASE_URL": self.database_url}
        if self.forecast_url:
            variables |= dict.fromkeys(FORECAST, self.forecast_url)
        if not self.embedded_aws:
            return variables
        given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        no_proxy = f"{given},127.0.0.1" if given else "127.0.0.1"
        return variables | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }


@dataclass(frozen=True)
class ProcessStatus:
    record: ProcessRecord
    alive: bool


@dataclass(frozen=True)
class StackStatus:
    """`endpoints` are those of the last start, or None. `processes` are all that was started and not stopped, by name."""

    endpoints: Endpoints | None
    processes: tuple[ProcessStatus, ...]

    @property
    def running(self) -> bool:
        """Whether anything was started and is alive."""
        return any(process.alive for process in self.processes)


def start(home: Home) -> Endpoints:
    """Start what is not running yet and give the endpoints once both answer. Call it within `home.exclusive`.

    AWS_ENDPOINT_URL and DATABASE_URL each replace a part, which is then not started. Raises StackFailed when a part does
    not become ready, BadRequest when it cannot be had here; what was started before that stays and `stop` ends it.
    """
    home.create()
    before = read_endpoints(home)
    aws = os.environ.get("AWS_ENDPOINT_URL")
    database = os.environ.get("DATABASE_URL")
    # Both start before either is waited for: they take about as long.
    running = {
        name: running_or(start_part, home, name)
        for name, start_part, replaced in (
            (postgres.NAME, postgres.start_postgres, database),
            (localstack.NAME, localstack.start_localstack, aws),
        )
        if not replaced
    }
    if not database:
        postgres.wait_for_postgres(running[postgres.NAME])
    if not aws:
        localstack.wait_for_localstack(running[localstack.NAME])
    endpoints = Endpoints(
        aws_endpoint_url=aws or running[localstack.NAME].url,
        database_url=database or running[postgres.NAME].url,
        embedded_aws=not aws,
        forecast_url=before and before.forecast_url,
    )
    replace_file(home.endpoints, endpoints.model_dump_json())
    return endpoints


def stop(home: Home) -> None:
    """Stop everything recorded in this home, workers before the stack they use. Call it within `home.exclusive`."""
    parts = (localstack.NAME, postgres.NAME)
    records = read_records(home)
    stop_processes([record for record in records if record.name not in parts])
    stop_processes([record for record in records if record.name in parts])
    home.endpoints.unlink(missing_ok=True)


def status(home: Home) -> StackStatus:
    """What was started here and whether it lives. Makes nothing."""
    processes = tuple(ProcessStatus(record, is_alive(record)) for record in read_records(home))
    return StackStatus(read_endpoints(home), processes)


def find_endpoints(home: Home) -> Endpoints:
    """Where the other commands find the stack: the environment first, then what was started here last.

    With AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true it is AWS itself. Raises BadRequest when neither names both parts.
    """
    started = read_endpoints(home)
    elsewhere = AWS_ITSELF if is_aws_itself(os.environ) else os.environ.get("AWS_ENDPOINT_URL")
    aws = elsewhere or (started and started.aws_endpoint_url)
    database = os.environ.get("DATABASE_URL") or (started and started.database_url)
    if not aws or not database:
        missing = "AWS_ENDPOINT_URL" if not aws else "DATABASE_URL"
        raise BadRequest(f"no stack is running in {home.path}: run `brigade up` first, or set {missing}")
    embedded = started is not None and started.embedded_aws and aws == started.aws_endpoint_url
    forecast = None if os.environ.get(FORECAST[0]) else started and started.forecast_url
    return Endpoints(aws_endpoint_url=aws, database_url=database, embedded_aws=embedded, forecast_url=forecast)


def is_aws_itself(environment: Mapping[str, str]) -> bool:
    """The setting of all SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html."""
    return environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"


def find_database_url(home: Home) -> str:
    """Where the database is, for what needs no more: the environment first, then what was started here last.

    Raises BadRequest when neither names it.
    """
    started = read_endpoints(home)
    database = os.environ.get("DATABASE_URL") or (started and started.database_url)
    if not database:
        raise BadRequest(f"no stack is running in {home.path}: run `brigade up` first, or set DATABASE_URL")
    return database


def read_endpoints(home: Home) -> Endpoints | None:
    return Endpoints.model_validate_json(home.endpoints.read_bytes()) if home.endpoints.exists() else None


def running_or(start_part: Callable[[Home], ProcessRecord], home: Home, name: str) -> ProcessRecord:
    record = find_record(home, name)
    if record is not None:
        if is_alive(record):
            return record
        stop_process(record)  # It ended by itself: its descendants may not have.
    return start_part(home)
