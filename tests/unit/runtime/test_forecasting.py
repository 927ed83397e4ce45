"""The port to Amazon Forecast on boto3's own client, whose requests are held against AWS's service model."""

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from contracts.amazon_forecast import CALLBACK, POLLING, Budget
from contracts.errors import (
    BadData,
    BadRequest,
    BrigadeError,
    DataGone,
    ResourceFailed,
    ResourceLate,
    ResourcePending,
    WorkerLost,
)
from services.runtime.forecasting import AmazonForecast, Connection
from services.runtime.resources import (
    RELATED,
    Dataset,
    DatasetGroup,
    DatasetImport,
    Export,
    Forecast,
    Predictor,
    Resource,
)

ROLE = "arn:aws:iam::123456789012:role/forecast"
ARN = "arn:aws:forecast:us-east-1:123456789012:"
GROUP = f"{ARN}dataset-group/g"
IMPORT = DatasetImport("orders", f"{ARN}dataset/orders", lambda: "s3://bucket/orders.csv")
PREDICTOR = Predictor("volume", GROUP, (f"{ARN}dataset/orders", f"{ARN}dataset/offers"), 5)
TRAINED = f"{ARN}predictor/volume_01ARYZ6S41TSV4RRFFQ69G5FAV"
BUDGET = Budget(interval=1, looks=100)
LOG: Any = logging.LoggerAdapter(logging.getLogger("test"), {})


class Service:
    """What the service is to be asked, in this order, and what it says."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "forecast", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
        )
        self.stub = Stubber(self.client)
        self.beats = 0

    def says(self, operation: str, answer: dict[str, Any], **asked: Any) -> None:
        self.stub.add_response(operation, answer, asked)

    def refuses(self, operation: str, code: str, status: int = 400) -> None:
        self.stub.add_client_error(operation, code, f"{code} it is", http_status_code=status)

    def lists(self, *imports: tuple[str, str, str]) -> None:
        """Import jobs by name, status and message."""
        jobs = [
            {"DatasetImportJobName": name, "DatasetImportJobArn": f"{ARN}{name}", "Status": status, "Message": message}
            for name, status, message in imports
        ]
        filters = [{"Key": "DatasetArn", "Value": IMPORT.dataset, "Condition": "IS"}]
        self.says("list_dataset_import_jobs", {"DatasetImportJobs": jobs}, Filters=filters)

    def beat(self) -> None:
        self.beats += 1

    def port(self, budget: Budget = BUDGET) -> AmazonForecast:
        return AmazonForecast(lambda: self.client, ROLE, self.beat, LOG, budget)

    def ready(self, *wanted: Resource) -> tuple[str, ...]:
        return self.port().ready(wanted, POLLING)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()


def test_what_is_active_is_given_by_the_arn_that_the_service_lists(service: Service) -> None:
    service.lists(("other", "ACTIVE", ""), ("orders", "ACTIVE", ""))
    assert service.ready(IMPORT) == (f"{ARN}orders",)
    assert service.beats == 1


def test_every_page_is_looked_at(service: Service) -> None:
    filters = [{"Key": "DatasetGroupArn", "Value": GROUP, "Condition": "IS"}]
    other = {"PredictorName": "volum", "PredictorArn": f"{ARN}predictor/other", "Status": "ACTIVE"}
    one = {"PredictorName": "volume", "PredictorArn": TRAINED, "Status": "ACTIVE"}
    service.says("list_predictors", {"Predictors": [other], "NextToken": "more"}, Filters=filters)
    service.says("list_predictors", {"Predictors": [one]}, Filters=filters, NextToken="more")
    assert service.ready(PREDICTOR) == (TRAINED,)


@pytest.mark.parametrize("status", ["CREATE_PENDING", "CREATE_IN_PROGRESS", "DELETE_PENDING", "DELETE_IN_PROGRESS"])
def test_what_is_under_way_is_pending_and_says_whose_time_it_takes(service: Service, status: str) -> None:
    service.lists(("orders", status, ""))
    with pytest.raises(ResourcePending) as raised:
        service.ready(IMPORT)
    assert str(raised.value) == (
        f"dataset import job orders is {status}; its step waits for 100 looks 1 s apart (BUDGET in "
        "contracts/amazon_forecast.py): redrive the run to wait on, raise it for later runs"
    )


@pytest.mark.parametrize("status", ["CREATE_FAILED", "CREATE_STOPPED"])
def test_what_failed_says_why_and_is_deleted(service: Service, status: str) -> None:
    service.lists(("orders", status, "s3://bucket/orders.csv, row 4: demand 'lots' is no number"))
    service.says("delete_dataset_import_job", {}, DatasetImportJobArn=f"{ARN}orders")
    with pytest.raises(ResourceFailed) as raised:
        service.ready(IMPORT)
    assert not raised.value.retryable
    assert f"{status}: s3://bucket/orders.csv, row 4" in str(raised.value)
    assert "redrive the run, which makes it anew" in str(raised.value)


def test_what_failed_and_stays_is_to_be_deleted_by_hand(service: Service) -> None:
    service.lists(("orders", "CREATE_FAILED", "no data"))
    service.refuses("delete_dataset_import_job", "ResourceInUseException")
    with pytest.raises(ResourceFailed, match="no data; correct that, delete it and redrive"):
        service.ready(IMPORT)
    service.lists(("orders", "DELETE_FAILED", ""))
    with pytest.raises(ResourceFailed, match="is DELETE_FAILED: Amazon Forecast says no reason; delete it"):
        service.ready(IMPORT)


def test_a_group_is_created_and_described(service: Service) -> None:
    """Lists of groups and datasets say no status."""
    service.says("list_dataset_groups", {"DatasetGroups": []})
    service.says("create_dataset_group", {"DatasetGroupArn": GROUP}, DatasetGroupName="g", Domain="RETAIL")
    listed = {"DatasetGroups": [{"DatasetGroupName": "g", "DatasetGroupArn": GROUP}]}
    service.says("list_dataset_groups", listed)
    service.says("describe_dataset_group", {"Status": "ACTIVE"}, DatasetGroupArn=GROUP)
    assert service.ready(DatasetGroup("g")) == (GROUP,)


def test_a_dataset_is_weekly_and_has_its_columns_in_order(service: Service) -> None:
    columns = {"item_id": "string", "timestamp": "timestamp", "price": "float"}
    schema = {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in columns.items()]}
    service.says("list_datasets", {"Datasets": []})
    service.says(
        "create_dataset",
        {"DatasetArn": f"{ARN}dataset/offers"},
        DatasetName="offers",
        Domain="RETAIL",
        DatasetType=RELATED,
        DataFrequency="W",
        Schema=schema,
    )
    service.says("list_datasets", {"Datasets": []})
    with pytest.raises(ResourcePending, match="dataset offers is not listed yet"):
        service.ready(Dataset("offers", RELATED, columns))


def test_an_import_is_asked_for_once(service: Service) -> None:
    service.lists()
    service.says(
        "create_dataset_import_job",
        {"DatasetImportJobArn": f"{ARN}orders"},
        DatasetImportJobName="orders",
        DatasetArn=IMPORT.dataset,
        DataSource={"S3Config": {"Path": "s3://bucket/orders.csv", "RoleArn": ROLE}},
        TimestampFormat="yyyy-MM-dd",
        Format="CSV",
    )
    with pytest.raises(ResourcePending, match="CREATE_PENDING"):
        service.ready(IMPORT)


def test_its_file_is_written_only_when_it_is_asked_for(service: Service) -> None:
    def never() -> str:
        raise AssertionError("written in vain")

    service.lists(("orders", "CREATE_IN_PROGRESS", ""))
    with pytest.raises(ResourcePending):
        service.ready(DatasetImport("orders", IMPORT.dataset, never))


@pytest.mark.parametrize("datasets", [[], list(PREDICTOR.datasets)[:1], list(reversed(PREDICTOR.datasets))])
def test_a_predictor_gets_its_datasets_into_the_group_first(service: Service, datasets: list[str]) -> None:
    """Those that are there already are not put there again: an update takes the group a while."""
    filters = [{"Key": "DatasetGroupArn", "Value": GROUP, "Condition": "IS"}]
    service.says("list_predictors", {"Predictors": []}, Filters=filters)
    service.says("describe_dataset_group", {"DatasetArns": datasets}, DatasetGroupArn=GROUP)
    if len(datasets) < 2:
        service.says("update_dataset_group", {}, DatasetGroupArn=GROUP, DatasetArns=list(PREDICTOR.datasets))
    complete = {"aggregation": "sum", "frontfill": "none", "middlefill": "zero", "backfill": "zero"}
    configs = [{"AttributeName": "demand", "Transformations": complete}]
    service.says(
        "create_auto_predictor",
        {"PredictorArn": TRAINED},
        PredictorName="volume",
        ForecastHorizon=5,
        ForecastTypes=["mean", "0.1", "0.5", "0.9"],
        ForecastFrequency="W",
        TimeAlignmentBoundary={"DayOfWeek": "SATURDAY"},
        DataConfig={"DatasetGroupArn": GROUP, "AttributeConfigs": configs},
    )
    with pytest.raises(ResourcePending, match="predictor volume is CREATE_PENDING"):
        service.ready(PREDICTOR)


def test_several_are_all_asked_for_before_any_is_waited_for(service: Service) -> None:
    forecast = Forecast("A", TRAINED, lambda: "s3://bucket/A.csv")
    export = Export("A", f"{ARN}forecast/A", "s3://bucket/A/")
    selector = {
        "DataSource": {"S3Config": {"Path": "s3://bucket/A.csv", "RoleArn": ROLE}},
        "Schema": {"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"}]},
        "Format": "CSV",
    }
    filters = [{"Key": "PredictorArn", "Value": TRAINED, "Condition": "IS"}]
    service.says("list_forecasts", {"Forecasts": []}, Filters=filters)
    service.says(
        "create_forecast",
        {"ForecastArn": f"{ARN}forecast/A"},
        ForecastName="A",
        PredictorArn=TRAINED,
        TimeSeriesSelector={"TimeSeriesIdentifiers": selector},
    )
    filters = [{"Key": "ForecastArn", "Value": f"{ARN}forecast/A", "Condition": "IS"}]
    service.says("list_forecast_export_jobs", {"ForecastExportJobs": []}, Filters=filters)
    service.says(
        "create_forecast_export_job",
        {"ForecastExportJobArn": f"{ARN}forecast-export-job/A/A"},
        ForecastExportJobName="A",
        ForecastArn=f"{ARN}forecast/A",
        Destination={"S3Config": {"Path": "s3://bucket/A/", "RoleArn": ROLE}},
        Format="CSV",
    )
    with pytest.raises(ResourcePending, match=r"^forecast A is CREATE_PENDING"):
        service.ready(forecast, export)


def test_one_that_another_attempt_has_just_made_is_looked_for_again(service: Service) -> None:
    service.lists()
    service.refuses("create_dataset_import_job", "ResourceAlreadyExistsException")
    service.lists(("orders", "ACTIVE", ""))
    assert service.ready(IMPORT) == (f"{ARN}orders",)
    service.lists()
    service.refuses("create_dataset_import_job", "ResourceAlreadyExistsException")
    service.lists()
    with pytest.raises(ResourcePending, match="there, but not listed yet"):
        service.ready(IMPORT)


@pytest.mark.parametrize(
    ("code", "status", "error", "told"),
    [
        ("LimitExceededException", 400, ResourcePending, "BUDGET in contracts/amazon_forecast.py"),
        ("ResourceInUseException", 400, ResourcePending, "has to wait: ResourceInUseException"),
        ("ThrottlingException", 400, ResourcePending, "BUDGET"),
        ("InternalFailure", 500, ResourcePending, "InternalFailure it is"),
        ("ServiceUnavailableException", 503, ResourcePending, "BUDGET"),
        ("InternalFailure", 501, BadRequest, "AWS_ENDPOINT_URL_FORECAST"),
        ("InvalidInputException", 400, BadData, "--flag order-volume=direct"),
        ("ValidationException", 400, BadData, "CreateDatasetImportJob of dataset import job orders"),
        ("ResourceNotFoundException", 400, DataGone, "start a new run"),
        ("AccessDeniedException", 400, BadRequest, "BRIGADE_FORECAST_ROLE"),
    ],
)
def test_a_refusal_says_whether_to_look_again(
    service: Service, code: str, status: int, error: type[BrigadeError], told: str
) -> None:
    service.lists()
    service.refuses("create_dataset_import_job", code, status)
    with pytest.raises(error, match=re.escape(told)):
        service.ready(IMPORT)


def test_a_service_that_is_away_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL_FORECAST", "http://127.0.0.1:1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
    ):
        monkeypatch.setenv(name, value)
    watched: list[Any] = []
    connection = Connection(watched.append)
    port = AmazonForecast(connection, ROLE, lambda: None, LOG)
    with pytest.raises(ResourcePending, match=r'cannot be asked for: .*"http://127\.0\.0\.1:1/".*BUDGET'):
        port.ready([DatasetGroup("g")], POLLING)
    assert watched == [connection()]


def test_a_callback_waits_within_the_attempt_with_heartbeats(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"):
        service.lists(("orders", status, ""))
    assert service.port(Budget(30, 300)).ready([IMPORT], CALLBACK) == (f"{ARN}orders",)
    assert slept == [30, 30]
    assert service.beats == 3


def test_a_callback_that_outlasts_the_budget_fails_naming_it(service: Service) -> None:
    """Its attempts are not for that: each would wait as long again."""
    service.lists(("orders", "CREATE_IN_PROGRESS", ""))
    with pytest.raises(ResourceLate, match=r"CREATE_IN_PROGRESS.*BUDGET in contracts/amazon_forecast.py") as raised:
        service.port(Budget(1, 0)).ready([IMPORT], CALLBACK)
    assert not raised.value.retryable


def test_an_attempt_that_does_not_count_any_more_stops_waiting(service: Service) -> None:
    def lost() -> None:
        raise WorkerLost("this attempt does not count any more")

    with pytest.raises(WorkerLost):
        AmazonForecast(lambda: service.client, ROLE, lost, LOG).ready([IMPORT], CALLBACK)


def test_what_is_to_go_is_deleted_if_it_is_there(service: Service) -> None:
    service.lists(("orders", "ACTIVE", ""))
    service.says("delete_dataset_import_job", {}, DatasetImportJobArn=f"{ARN}orders")
    service.port().delete(IMPORT)
    service.lists(("other", "ACTIVE", ""))
    service.port().delete(IMPORT)


def test_a_worker_that_needs_no_forecast_pays_nothing_for_it() -> None:
    code = "import sys, services.runtime.__main__; sys.exit('boto3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
