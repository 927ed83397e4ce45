"""Amazon Forecast's own names for its resources, and what it is asked for to make each of them."""

from dataclasses import dataclass
from typing import Any

from services.runtime.resources import Dataset, DatasetGroup, DatasetImport, Export, Forecast, Predictor, Resource

Json = dict[str, Any]

DOMAIN = "RETAIL"
WEEKLY = "W"
TYPES = ["mean", "0.1", "0.5", "0.9"]
FIRST_DAY = "SATURDAY"

COMPLETE = {"aggregation": "sum", "frontfill": "none", "middlefill": "zero", "backfill": "zero"}
"""A week without a row counts as nothing ordered, as in order-volume's own series."""


@dataclass(frozen=True)
class Kind:
    """`stem` is in the names of the client's operations, `member` in those of what they take and give.

    With a `parent`, lists can be filtered by its ARN and say a status; else the one that is found must be described.
    """

    stem: str
    member: str
    parent: str = ""
    making: str = ""

    @property
    def creating(self) -> str:
        return self.making or f"create_{self.stem}"


KINDS: dict[type[Resource], Kind] = {
    DatasetGroup: Kind("dataset_group", "DatasetGroup"),
    Dataset: Kind("dataset", "Dataset"),
    DatasetImport: Kind("dataset_import_job", "DatasetImportJob", "DatasetArn"),
    Predictor: Kind("predictor", "Predictor", "DatasetGroupArn", making="create_auto_predictor"),
    Forecast: Kind("forecast", "Forecast", "PredictorArn"),
    Export: Kind("forecast_export_job", "ForecastExportJob", "ForecastArn"),
}


def filter_of(wanted: Resource) -> Json:
    """What leaves only resources with the same parent in a list."""
    match wanted:
        case DatasetImport():
            parent = wanted.dataset
        case Predictor():
            parent = wanted.group
        case Forecast():
            parent = wanted.predictor
        case Export():
            parent = wanted.forecast
        case _:
            return {}
    return {"Filters": [{"Key": KINDS[type(wanted)].parent, "Value": parent, "Condition": "IS"}]}


def request_of(wanted: Resource, role: str) -> Json:
    """What its operation takes beside the name. `role` is that with which the service uses files."""
    match wanted:
        case DatasetGroup():
            return {"Domain": DOMAIN}
        case Dataset():
            schema = _schema(dict(wanted.columns))
            return {"Domain": DOMAIN, "DatasetType": wanted.kind, "DataFrequency": WEEKLY, "Schema": schema}
        case DatasetImport():
            source = _place(wanted.file(), role)
            return {
                "DatasetArn": wanted.dataset,
                "DataSource": source,
                "TimestampFormat": "yyyy-MM-dd",
                "Format": "CSV",
            }
        case Predictor():
            filling = [{"AttributeName": "demand", "Transformations": COMPLETE}]
            return {
                "ForecastHorizon": wanted.horizon,
                "ForecastTypes": TYPES,
                "ForecastFrequency": WEEKLY,
                "TimeAlignmentBoundary": {"DayOfWeek": FIRST_DAY},
                "DataConfig": {"DatasetGroupArn": wanted.group, "AttributeConfigs": filling},
            }
        case Forecast():
            source, schema = _place(wanted.items(), role), _schema({"item_id": "string"})
            chosen = {"DataSource": source, "Schema": schema, "Format": "CSV"}
            return {"PredictorArn": wanted.predictor, "TimeSeriesSelector": {"TimeSeriesIdentifiers": chosen}}
        case Export():
            return {"ForecastArn": wanted.forecast, "Destination": _place(wanted.folder, role), "Format": "CSV"}


def _place(uri: str, role: str) -> Json:
    return {"S3Config": {"Path": uri, "RoleArn": role}}


def _schema(columns: dict[str, str]) -> Json:
    return {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in columns.items()]}
