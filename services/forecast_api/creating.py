"""Create...: what a request may refer to, and the row it becomes. A job does the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.forecast_api import kinds
from services.forecast_api.arns import Caller, own_name, suffix
from services.forecast_api.errors import InUse, InvalidInput, LimitExceeded
from services.forecast_api.frequency import parse
from services.forecast_api.kinds import Kind
from services.forecast_api.predictors import plan_of, types_of
from services.forecast_api.schemas import METADATA, RELATED, TARGET, columns_of, schema_of
from services.forecast_api.store import ACTIVE, CREATE_IN_PROGRESS, CREATE_PENDING, Resource, Store

Json = dict[str, Any]

TIMESTAMP_FORMATS = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss")
FORMATS = ("CSV", "PARQUET")
LISTED_BY_GROUP = (TARGET, RELATED, METADATA)


@dataclass(frozen=True)
class Asked:
    """One request."""

    store: Store
    caller: Caller
    request: Json

    def find(self, kind: Kind, arn: str) -> Resource:
        """It stays until this request has ended. Raises NotFound."""
        return self.store.find(self.caller, arn, kind.name, lock="FOR SHARE")

    def ready(self, kind: Kind, arn: str) -> Resource:
        """Raises NotFound, InUse while it is being made, and InvalidInput when that has failed."""
        found = self.find(kind, arn)
        check_ready(found)
        return found


@dataclass(frozen=True)
class New:
    """What becomes a resource: its kind, its name, with a parent's before it where names are below one, and its parents."""

    kind: Kind
    name: str
    request: Json
    parents: tuple[str, ...] = ()
    details: Json | None = None
    suffix: str = ""


def check_ready(found: Resource) -> None:
    if found.status.endswith("FAILED"):
        raise InvalidInput(f"{found.arn} is {found.status}: delete it and create it again")
    if found.status != ACTIVE:
        raise InUse(f"{found.arn} is {found.status}: wait until it is ACTIVE")


def create(asked: Asked, operation: str) -> Json:
    """Gives the ARN. Raises what its resources do, AlreadyExists, and LimitExceeded when a quota is used up."""
    asked.store.lock_account(asked.caller)
    new = OPERATIONS[operation](asked)
    _check_quota(asked, new.kind)
    arn = asked.caller.arn(new.kind.arn, new.name + new.suffix)
    asked.store.insert(
        Resource(
            arn=arn,
            kind=new.kind.name,
            account=asked.caller.account,
            region=asked.caller.region,
            name=new.name,
            request={name: value for name, value in new.request.items() if name != "Tags"},
            parents=new.parents,
            status=CREATE_PENDING if new.kind.job else ACTIVE,
            details=new.details or {},
        )
    )
    return {new.kind.arn_member: arn}


def _check_quota(asked: Asked, kind: Kind) -> None:
    if asked.store.count(asked.caller, kind.name) >= kind.quota:
        raise LimitExceeded(f"there are {kind.quota} {kind.listed}: delete some first")
    under_way = (CREATE_PENDING, CREATE_IN_PROGRESS)
    if kind.job and asked.store.count(asked.caller, kind.name, list(under_way)) >= kind.parallel:
        raise LimitExceeded(f"{kind.parallel} {kind.listed} are being created: wait until one is ACTIVE")


def dataset_group(asked: Asked) -> New:
    request = {"DatasetArns": [], **asked.request}
    check_datasets(asked, request["Domain"], request["DatasetArns"])
    return New(kinds.DATASET_GROUP, request["DatasetGroupName"], request)


def check_datasets(asked: Asked, domain: str, arns: list[str]) -> None:
    """Raises InvalidInput unless they are of the domain and one of each type at most."""
    found = [asked.ready(kinds.DATASET, arn) for arn in arns]
    types = [each.request["DatasetType"] for each in found]
    if len(set(types)) < len(types):
        raise InvalidInput("DatasetArns: a dataset group has one dataset of each type at most")
    for each in found:
        if each.request["Domain"] != domain:
            raise InvalidInput(f"DatasetArns: {each.arn} is of the domain {each.request['Domain']} and not {domain}")


def dataset(asked: Asked) -> New:
    schema_of(asked.request)
    if asked.request.get("DataFrequency"):
        parse(asked.request["DataFrequency"])
    return New(kinds.DATASET, asked.request["DatasetName"], asked.request)


def import_job(asked: Asked) -> New:
    request = {"TimestampFormat": TIMESTAMP_FORMATS[1], "Format": "CSV", "ImportMode": "FULL", **asked.request}
    of = asked.ready(kinds.DATASET, request["DatasetArn"])
    if request["TimestampFormat"] not in TIMESTAMP_FORMATS:
        raise InvalidInput(f"TimestampFormat is one of {' and '.join(TIMESTAMP_FORMATS)}")
    if any(request.get(name) for name in ("TimeZone", "UseGeolocationForTimeZone", "GeolocationFormat")):
        raise InvalidInput("time zones and geolocations are not served: leave them out")
    name = f"{of.name}/{request['DatasetImportJobName']}"
    return New(kinds.IMPORT, name, request, (of.arn,))


def auto_predictor(asked: Asked) -> New:
    request = asked.request
    details: Json = {"IsAutoPredictor": True}
    if reference := request.get("ReferencePredictorArn"):
        earlier = asked.ready(kinds.PREDICTOR, reference)
        if not earlier.details.get("IsAutoPredictor"):
            raise InvalidInput("ReferencePredictorArn: only an auto predictor can be trained anew")
        request = {**earlier.request, **request}
        details["ReferencePredictorSummary"] = {"Arn": reference, "State": "Active"}
    return _predictor(asked, request, details, f"_{suffix()}")


def predictor(asked: Asked) -> New:
    return _predictor(asked, asked.request, {"IsAutoPredictor": False}, "")


def _predictor(asked: Asked, request: Json, details: Json, ending: str) -> New:
    plan = plan_of(request)
    group = asked.ready(kinds.DATASET_GROUP, plan.dataset_group)
    datasets = datasets_of(asked, group)
    if TARGET not in datasets:
        raise InvalidInput(f"{group.arn} has no {TARGET} dataset: add one with UpdateDatasetGroup")
    frequency = parse(datasets[TARGET].request["DataFrequency"])
    if plan.frequency.size < frequency.size:
        raise InvalidInput("ForecastFrequency is finer than the target's DataFrequency")
    if unknown := set(plan.dimensions) - set(schema_of(datasets[TARGET].request).dimensions):
        raise InvalidInput(f"ForecastDimensions: the target time series has no string {', '.join(sorted(unknown))}")
    related = datasets.get(RELATED)
    if related and parse(related.request["DataFrequency"]).size != plan.frequency.size:
        raise InvalidInput("ForecastFrequency is not the related time series' DataFrequency")
    details |= {
        "DatasetImportJobArns": imports_of(asked, list(datasets.values())),
        "DatasetGroupArn": group.arn,
        "ForecastTypes": list(plan.types),
        "EvaluationParameters": {"NumberOfBacktestWindows": plan.windows, "BackTestWindowOffset": plan.offset},
    }
    return New(kinds.PREDICTOR, request["PredictorName"], request, (group.arn,), details, ending)


def datasets_of(asked: Asked, group: Resource) -> dict[str, Resource]:
    """By type."""
    found = [asked.ready(kinds.DATASET, arn) for arn in group.request["DatasetArns"]]
    return {each.request["DatasetType"]: each for each in found}


def imports_of(asked: Asked, datasets: list[Resource]) -> list[str]:
    """The latest import of each: it holds the whole dataset. Raises InUse while one is under way, InvalidInput without any."""
    latest = []
    for each in datasets:
        imports = asked.store.made_from(each.arn)
        if any(one.status in (CREATE_PENDING, CREATE_IN_PROGRESS) for one in imports):
            raise InUse(f"{each.arn} is being imported: wait until its import job is ACTIVE")
        active = [one.arn for one in imports if one.status == ACTIVE]
        if not active:
            raise InvalidInput(f"{each.arn} has no data: create a dataset import job first")
        latest.append(active[0])
    return latest


def forecast(asked: Asked) -> New:
    of = asked.ready(kinds.PREDICTOR, asked.request["PredictorArn"])
    given = asked.request.get("ForecastTypes")
    request = {**asked.request, "ForecastTypes": list(types_of(given) if given else of.details["ForecastTypes"])}
    if selector := (request.get("TimeSeriesSelector") or {}).get("TimeSeriesIdentifiers"):
        if not selector.get("DataSource"):
            raise InvalidInput("TimeSeriesSelector.TimeSeriesIdentifiers.DataSource is missing")
        columns_of(selector.get("Schema") or {})
    group = asked.ready(kinds.DATASET_GROUP, of.details["DatasetGroupArn"])
    details = {
        "DatasetGroupArn": group.arn,
        "DatasetImportJobArns": imports_of(asked, list(datasets_of(asked, group).values())),
    }
    return New(kinds.FORECAST, request["ForecastName"], request, (of.arn,), details)


def export(asked: Asked) -> New:
    of = asked.ready(kinds.FORECAST, asked.request["ForecastArn"])
    request = {"Format": "CSV", **asked.request}
    return New(kinds.EXPORT, f"{own_name(of.arn)}/{request['ForecastExportJobName']}", request, (of.arn,))


OPERATIONS: Mapping[str, Callable[[Asked], New]] = {
    "CreateDatasetGroup": dataset_group,
    "CreateDataset": dataset,
    "CreateDatasetImportJob": import_job,
    "CreateAutoPredictor": auto_predictor,
    "CreatePredictor": predictor,
    "CreateForecast": forecast,
    "CreateForecastExportJob": export,
}
