"""What commands share: the stack's endpoints, one database connection, AWS clients, and how things are printed."""

import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from rich.console import Console

from orchestrator.aws import Aws
from orchestrator.database import Connection, connect
from orchestrator.deploy import Deployment, find_deployment
from orchestrator.embedded.home import Home, default_home
from orchestrator.embedded.stack import Endpoints, find_database_url, find_endpoints
from orchestrator.history import RunHistory
from orchestrator.operations import LocalOperations, Operations
from orchestrator.service.client import Client
from orchestrator.token import find_token
from orchestrator.watch import POLL, follow_by

SELDOM = 1.0
"""Seconds between two looks at a run through a service."""

WIDE = 200
"""Columns of a table that goes to a file or a pipe, unless COLUMNS says another number."""


def piped_width(environment: Mapping[str, str]) -> int:
    """COLUMNS where it is a number above 0, else WIDE."""
    columns = environment.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else WIDE


out = Console() if sys.stdout.isatty() else Console(width=piped_width(os.environ))
errors = Console(stderr=True)


class Session:
    """Made when the command line starts; everything in it is made when first used."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url
        self._connection: Connection | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection is not None:
            self._connection.close()

    @cached_property
    def home(self) -> Home:
        return default_home()

    @cached_property
    def endpoints(self) -> Endpoints:
        return self.use(find_endpoints(self.home))

    @cached_property
    def database_url(self) -> str:
        """For commands that need nothing of AWS."""
        return find_database_url(self.home)

    def use(self, endpoints: Endpoints) -> Endpoints:
        """Point boto3 here. Only this process's environment changes."""
        os.environ.update(endpoints.environment())
        return endpoints

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self.endpoints.database_url)
        return self._connection

    @cached_property
    def aws(self) -> Aws:
        _ = self.endpoints
        return Aws()

    @property
    def prefix(self) -> str:
        """What everything in AWS is named after, so that several deployments can share an account."""
        return os.environ.get("BRIGADE_PREFIX", "brigade")

    @cached_property
    def operations(self) -> Operations:
        """Of the service that was named, else of the database and AWS."""
        if self.url:
            return Client(self.url, find_token())
        return LocalOperations(lambda: self.aws, self.connection, lambda: self.deployment)

    def follow(self, run_id: str) -> RunHistory:
        """Show a run's progress until it has ended."""
        return follow_by(lambda: self.operations.history(run_id), errors, SELDOM if self.url else POLL)

    @cached_property
    def deployment(self) -> Deployment:
        return find_deployment(self.aws, self.prefix)


def print_json(value: Any) -> None:
    """One JSON document on standard output, nothing else."""
    document = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(json.dumps(document, indent=2, default=str))  # noqa: T201 - rich would wrap it


def say(message: str) -> None:
    """Progress, on standard error."""
    errors.print(message, highlight=False, soft_wrap=True)
