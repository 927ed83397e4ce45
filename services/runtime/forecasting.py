"""Amazon Forecast's API, with boto3's own client: what a step wants is there, or the step waits for it.

A resource is found by its name among those that the service lists: an ARN is never made from a name.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from contracts.amazon_forecast import BUDGET, POLLING, Budget, Waiting
from contracts.errors import BadData, BadRequest, BrigadeError, DataGone, ResourceFailed, ResourceLate, ResourcePending
from services.runtime.context import Log
from services.runtime.forecast_requests import KINDS, Json, filter_of, request_of
from services.runtime.resources import Predictor, Resource

AWS = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=30)
"""Few attempts: a step that looks again is one too."""

AWAY = (NoConnection, HTTPClientError, IncompleteReadError, ResponseParserError)
BUSY = ("ResourceInUseException", "LimitExceededException", "ThrottlingException", "Throttling")
INVALID = ("InvalidInputException", "ValidationException")
ACTIVE, FAILED = "ACTIVE", ("CREATE_FAILED", "CREATE_STOPPED")

WITHOUT = "or run order-simulation with `--flag order-volume=direct`, which needs no Amazon Forecast"


class Connection:
    """boto3's client, made when it is first asked for: most workers never do, and boto3 takes its time."""

    def __init__(self, watch: Callable[[Any], None]) -> None:
        self._watch = watch
        self._making = threading.Lock()
        self._client: Any = None

    def __call__(self) -> Any:
        with self._making:
            if self._client is None:
                import boto3

                self._client = boto3.Session().client("forecast", config=AWS)
                self._watch(self._client)
        return self._client


@dataclass(frozen=True)
class Found:
    arn: str
    status: str
    message: str = ""


@dataclass(frozen=True)
class AmazonForecast:
    """For one attempt at a step, whose heartbeat is `beat`. `role` is that with which the service reads and writes files."""

    connect: Callable[[], Any]
    role: str
    beat: Callable[[], None]
    log: Log
    budget: Budget = BUDGET

    def ready(self, wanted: Sequence[Resource], waiting: Waiting) -> tuple[str, ...]:
        if waiting == POLLING:
            return self._look(wanted)
        longest = self.budget.interval * self.budget.looks
        again = Retrying(
            retry=retry_if_exception_type(ResourcePending),
            wait=wait_fixed(self.budget.interval),
            stop=stop_after_delay(longest),
        )
        try:
            return again(self._look, wanted)
        except RetryError as late:
            error = late.last_attempt.exception()
            raise ResourceLate(f"after {longest} s in one attempt, {error}") from error

    def delete(self, wanted: Resource) -> None:
        found = self._find(wanted)
        if found is not None:
            self._delete(wanted, found)

    def _look(self, wanted: Sequence[Resource]) -> tuple[str, ...]:
        """Once, at each of them, so that none is asked for later because of another."""
        self.beat()
        arns: list[str] = []
        pending: list[ResourcePending] = []
        for each in wanted:
            try:
                arns.append(self._arn(each))
            except ResourcePending as error:
                pending.append(error)
        if pending:
            raise pending[0]
        return tuple(arns)

    def _arn(self, wanted: Resource) -> str:
        found = self._find(wanted) or self._create(wanted)
        if found.status == ACTIVE:
            return found.arn
        if not found.status.endswith("FAILED") and found.status not in FAILED:
            raise self._pending(wanted, f"is {found.status}")
        raise ResourceFailed(
            f"{wanted.label} is {found.status}: {found.message or 'Amazon Forecast says no reason'}; "
            f"{self._make_room(wanted, found)}, {WITHOUT}"
        )

    def _make_room(self, wanted: Resource, found: Found) -> str:
        """Delete what could not be made, so that a redrive makes it anew. Gives what to do next."""
        if found.status not in FAILED:
            return "delete it and redrive the run"
        try:
            self._delete(wanted, found)
        except BrigadeError as error:
            self.log.warning("%s stays: %s", wanted.label, error)
            return "correct that, delete it and redrive the run"
        return "correct that and redrive the run, which makes it anew"

    def _find(self, wanted: Resource) -> Found | None:
        kind = KINDS[type(wanted)]
        name, arn = f"{kind.member}Name", f"{kind.member}Arn"
        with self._translated(wanted):
            pages = self.connect().get_paginator(f"list_{kind.stem}s").paginate(**filter_of(wanted))
            listed = (each for page in pages for each in page[f"{kind.member}s"])
            each = next((each for each in listed if each[name] == wanted.name), None)
            if each is None:
                return None
            if not kind.parent:
                each |= getattr(self.connect(), f"describe_{kind.stem}")(**{arn: each[arn]})
        return Found(each[arn], each["Status"], each.get("Message", ""))

    def _create(self, wanted: Resource) -> Found:
        kind = KINDS[type(wanted)]
        request: Json = {f"{kind.member}Name": wanted.name, **request_of(wanted, self.role)}
        client = self.connect()
        with self._translated(wanted):
            if isinstance(wanted, Predictor):
                _use_datasets(client, wanted)
            try:
                answer = getattr(client, kind.creating)(**request)
            except client.exceptions.ResourceAlreadyExistsException:
                self.log.info("%s was made by another attempt", wanted.label)
                return self._find(wanted) or Found("", "there, but not listed yet")
        self.log.info("asked for %s", wanted.label)
        if kind.parent:
            return Found(answer[f"{kind.member}Arn"], "CREATE_PENDING")
        return self._find(wanted) or Found("", "not listed yet")

    def _delete(self, wanted: Resource, found: Found) -> None:
        kind = KINDS[type(wanted)]
        with self._translated(wanted):
            getattr(self.connect(), f"delete_{kind.stem}")(**{f"{kind.member}Arn": found.arn})
        self.log.info("deleted %s, which was %s", wanted.label, found.status)

    @contextmanager
    def _translated(self, wanted: Resource) -> Iterator[None]:
        """Errors of the service and of the way to it, as errors that say whether to look again."""
        try:
            yield
        except AWAY as error:
            raise self._pending(wanted, f"cannot be asked for: {error}") from error
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            told = f"{error.operation_name} of {wanted.label}: {code}: {message}"
            if status == HTTPStatus.NOT_IMPLEMENTED:
                raise BadRequest(f"{told}; let AWS_ENDPOINT_URL_FORECAST name an Amazon Forecast") from error
            if code in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise self._pending(wanted, f"has to wait: {code}: {message}") from error
            if code in INVALID:
                raise BadData(f"{told}; correct that and redrive the run, {WITHOUT}") from error
            if code == "ResourceNotFoundException":
                raise DataGone(f"{told}; start a new run, which makes it again") from error
            raise BadRequest(f"{told}; look at the worker's credentials and at BRIGADE_FORECAST_ROLE") from error

    def _pending(self, wanted: Resource, what: str) -> ResourcePending:
        return ResourcePending(
            f"{wanted.label} {what}; its step waits for {self.budget}: redrive the run to wait on, raise it for later runs"
        )


def _use_datasets(client: Any, wanted: Predictor) -> None:
    """Each update takes the group a while, in which nothing can be made of it."""
    found = client.describe_dataset_group(DatasetGroupArn=wanted.group)["DatasetArns"]
    if set(found) != set(wanted.datasets):
        client.update_dataset_group(DatasetGroupArn=wanted.group, DatasetArns=list(wanted.datasets))
