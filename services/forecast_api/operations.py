"""The operations that are served, by name: each gets a request that fits the service model, in a transaction."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.forecast_api import creating, kinds
from services.forecast_api.creating import Asked, check_ready
from services.forecast_api.errors import InUse, InvalidInput, InvalidNextToken
from services.forecast_api.kinds import KINDS, Kind
from services.forecast_api.querying import query_forecast
from services.forecast_api.store import ACTIVE, CREATE_FAILED, DELETE_PENDING, Resource, view

Json = dict[str, Any]

PAGE = 100

FILTERS: Mapping[str, tuple[str, ...]] = {
    "DatasetImportJob": ("DatasetArn", "Status"),
    "Predictor": ("DatasetGroupArn", "Status"),
    "Forecast": ("DatasetGroupArn", "PredictorArn", "Status"),
    "ForecastExportJob": ("ForecastArn", "Status"),
}


def describe(asked: Asked, kind: Kind) -> Json:
    found = asked.store.find(asked.caller, asked.request[kind.arn_member], kind.name)
    return dict(view(found, kind.arn_member))


def describe_predictor(asked: Asked, auto: bool) -> Json:
    answer = describe(asked, kinds.PREDICTOR)
    if bool(answer["IsAutoPredictor"]) != auto:
        other = "DescribePredictor" if auto else "DescribeAutoPredictor"
        raise InvalidInput(f"{answer['PredictorArn']} was made by the other operation: ask {other}")
    return answer


def delete(asked: Asked, kind: Kind) -> Json:
    """Raises InUse while it is being made or deleted, or something made from it is there."""
    found = asked.store.find(asked.caller, asked.request[kind.arn_member], kind.name, lock="FOR UPDATE")
    if found.status not in (ACTIVE, CREATE_FAILED):
        raise InUse(f"{found.arn} is {found.status}: only what is {ACTIVE} or {CREATE_FAILED} can be deleted")
    if children := asked.store.made_from(found.arn):
        raise InUse(f"{found.arn} is used by {children[0].arn}: delete that first")
    asked.store.change(found.arn, DELETE_PENDING)
    return {}


def list_all(asked: Asked, kind: Kind) -> Json:
    """The latest first, a page at a time."""
    filters = [_filter(kind, each) for each in asked.request.get("Filters") or ()]
    after = _after(kind, asked.request.get("NextToken"))
    views = [
        (found, shown)
        for found in asked.store.all_of(asked.caller, kind.name)
        if after is None or (found.created_at, found.arn) < after
        for shown in [view(found, kind.arn_member)]
        if all(wanted(shown) for wanted in filters)
    ]
    most = asked.request.get("MaxResults", PAGE)
    page, more = views[:most], len(views) > most
    return {kind.listed: [shown for _, shown in page], "NextToken": _token(kind, page[-1][0]) if more else None}


def _filter(kind: Kind, given: Json) -> Callable[[Mapping[str, Any]], bool]:
    key, value, wanted = given["Key"], given["Value"], given["Condition"] == "IS"
    allowed = FILTERS.get(kind.name, ())
    if key not in allowed:
        raise InvalidInput(f"Filters: {kind.listed} are filtered by {' or '.join(allowed)}")
    return lambda shown: (shown.get(key) == value) == wanted


def _token(kind: Kind, last: Resource) -> str:
    assert last.created_at is not None, "a row has its time"
    return base64.urlsafe_b64encode(f"{kind.name} {last.created_at.isoformat()} {last.arn}".encode()).decode()


def _after(kind: Kind, token: str | None) -> tuple[datetime, str] | None:
    if token is None:
        return None
    try:
        name, created, arn = base64.b64decode(token.encode(), b"-_", validate=True).decode().split(" ", 2)
        after = datetime.fromisoformat(created)
    except (ValueError, binascii.Error) as error:
        raise InvalidNextToken("NextToken is none that this list gave") from error
    if name != kind.name or after.tzinfo is None:
        raise InvalidNextToken("NextToken is none that this list gave")
    return after, arn


def update_dataset_group(asked: Asked) -> Json:
    arn, datasets = asked.request["DatasetGroupArn"], asked.request["DatasetArns"]
    group = asked.store.find(asked.caller, arn, kinds.DATASET_GROUP.name, lock="FOR UPDATE")
    check_ready(group)
    creating.check_datasets(asked, group.request["Domain"], datasets)
    asked.store.change(arn, ACTIVE, request={**group.request, "DatasetArns": datasets})
    return {}


def accuracy_metrics(asked: Asked) -> Json:
    found = asked.ready(kinds.PREDICTOR, asked.request["PredictorArn"])
    return {**found.request, **found.details}


def _of_kind(handler: Callable[[Asked, Kind], Json], kind: Kind) -> Callable[[Asked], Json]:
    return lambda asked: handler(asked, kind)


def _creating(name: str) -> Callable[[Asked], Json]:
    return lambda asked: creating.create(asked, name)


SERVED: Mapping[str, Callable[[Asked], Json]] = {
    **{name: _creating(name) for name in creating.OPERATIONS},
    **{f"Describe{name}": _of_kind(describe, kind) for name, kind in KINDS.items()},
    "DescribePredictor": lambda asked: describe_predictor(asked, auto=False),
    "DescribeAutoPredictor": lambda asked: describe_predictor(asked, auto=True),
    **{f"Delete{name}": _of_kind(delete, kind) for name, kind in KINDS.items()},
    **{f"List{kind.listed}": _of_kind(list_all, kind) for kind in KINDS.values()},
    "UpdateDatasetGroup": update_dataset_group,
    "GetAccuracyMetrics": accuracy_metrics,
    "QueryForecast": query_forecast,
}
"""What docs/forecast-api.md lists; a test holds it to this."""
