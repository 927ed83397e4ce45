"""Resources and what may be done with them when. Nobody does jobs here: what takes one stays pending until a test says so."""

import re
from typing import Any

import pytest

from services.forecast_api.store import Pool
from tests.behaviour.forecast_api.conftest import ROLE, Api, attributes, target

SOURCE = {"S3Config": {"Path": "s3://bucket/orders.csv", "RoleArn": ROLE}}


class Kitchen:
    """Makes resources by hand that elsewhere jobs would have made."""

    def __init__(self, api: Api, pool: Pool) -> None:
        self.api, self._pool = api, pool

    def set(self, arn: str, status: str = "ACTIVE") -> str:
        with self._pool.connection() as connection:
            connection.execute("UPDATE forecast_resources SET status = %s WHERE arn = %s", (status, arn))
        return arn

    def dataset(self, name: str = "orders", **members: Any) -> str:
        answer = self.api("CreateDataset", target(name, **members))
        return str(answer.body["DatasetArn"])

    def imported(self, dataset: str, name: str = "first", status: str = "ACTIVE") -> str:
        answer = self.api("CreateDatasetImportJob", DatasetImportJobName=name, DatasetArn=dataset, DataSource=SOURCE)
        return self.set(answer.body["DatasetImportJobArn"], status)

    def group(self, *datasets: str) -> str:
        answer = self.api("CreateDatasetGroup", DatasetGroupName="shop", Domain="RETAIL", DatasetArns=list(datasets))
        return str(answer.body["DatasetGroupArn"])

    def ready_group(self) -> str:
        dataset = self.dataset()
        self.imported(dataset)
        return self.group(dataset)

    def predictor(self, group: str, name: str = "weekly", **members: Any) -> Any:
        request = {"PredictorName": name, "ForecastHorizon": 4, "ForecastFrequency": "W"}
        return self.api("CreateAutoPredictor", {**request, "DataConfig": {"DatasetGroupArn": group}, **members})


@pytest.fixture
def kitchen(api: Api, pool: Pool) -> Kitchen:
    return Kitchen(api, pool)


def legacy(group: str, **members: Any) -> dict[str, Any]:
    return {
        "PredictorName": "old",
        "AlgorithmArn": "arn:aws:forecast:::algorithm/ETS",
        "ForecastHorizon": 4,
        "InputDataConfig": {"DatasetGroupArn": group},
        "FeaturizationConfig": {"ForecastFrequency": "W"},
        **members,
    }


def test_a_dataset_is_described_as_it_was_asked_for(api: Api) -> None:
    arn = api("CreateDataset", target()).body["DatasetArn"]
    found = api("DescribeDataset", DatasetArn=arn).body
    times = found.pop("CreationTime"), found.pop("LastModificationTime")
    assert found == {**target(), "DatasetArn": arn, "Status": "ACTIVE"}
    assert all(isinstance(each, float) for each in times)


def test_a_name_is_taken_once(kitchen: Kitchen) -> None:
    kitchen.dataset()
    assert kitchen.api("CreateDataset", target()).error == "ResourceAlreadyExistsException"


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"Domain": "METRICS"}, "METRICS"),
        ({"DataFrequency": "5W"}, "5W"),
        ({"DataFrequency": None}, "DataFrequency"),
        ({"Schema": attributes(item_id="string", timestamp="timestamp", sold="float")}, "demand"),
        ({"Schema": attributes(item_id="string", timestamp="timestamp", demand="string")}, "demand"),
        ({"Schema": attributes(item_id="string", timestamp="timestamp", demand="float", price="float")}, "price"),
        ({"Schema": attributes(item_id="string", timestamp="timestamp", demand="float", at="geolocation")}, "at"),
        ({"Schema": {"Attributes": attributes(item_id="string")["Attributes"] * 2}}, "AttributeName"),
        ({"DatasetType": "RELATED_TIME_SERIES", "Schema": attributes(item_id="string", price="float")}, "timestamp"),
    ],
)
def test_a_schema_that_the_domain_does_not_have_is_refused(api: Api, members: dict[str, Any], named: str) -> None:
    answer = api("CreateDataset", target(**members))
    assert answer.error == "InvalidInputException"
    assert named in answer.body["message"]


def test_a_custom_domain_forecasts_its_target_value(api: Api) -> None:
    schema = attributes(item_id="string", timestamp="timestamp", target_value="integer", site="string")
    assert api("CreateDataset", target(Domain="CUSTOM", Schema=schema)).status == 200


def test_a_group_has_datasets_of_its_domain_one_of_each_type(kitchen: Kitchen) -> None:
    api = kitchen.api
    schema = attributes(item_id="string", timestamp="timestamp", target_value="float")
    one, two = kitchen.dataset("one"), kitchen.dataset("two")
    custom = kitchen.dataset("three", Domain="CUSTOM", Schema=schema)
    for datasets, named in (([one, two], "one dataset of each type"), ([custom], "CUSTOM")):
        answer = api("CreateDatasetGroup", DatasetGroupName="g", Domain="RETAIL", DatasetArns=datasets)
        assert answer.error == "InvalidInputException"
        assert named in answer.body["message"]
    absent = api("CreateDatasetGroup", DatasetGroupName="g", Domain="RETAIL", DatasetArns=[one + "x"])
    assert absent.error == "ResourceNotFoundException"
    group = kitchen.group(one)
    assert api("UpdateDatasetGroup", DatasetGroupArn=group, DatasetArns=[custom]).error == "InvalidInputException"
    assert api("UpdateDatasetGroup", DatasetGroupArn=group, DatasetArns=[two]).body == {}
    assert api("DescribeDatasetGroup", DatasetGroupArn=group).body["DatasetArns"] == [two]


def test_arns_are_formed_as_awss(kitchen: Kitchen) -> None:
    group = kitchen.ready_group()
    dataset = group.replace("dataset-group/shop", "dataset/orders")
    prefix = group.partition("dataset-group")[0]
    auto = kitchen.predictor(group).body["PredictorArn"]
    assert re.fullmatch(re.escape(prefix) + "predictor/weekly_01[0-9A-HJKMNP-TV-Z]{24}", auto)
    old = kitchen.api("CreatePredictor", legacy(group)).body["PredictorArn"]
    assert old == f"{prefix}predictor/old"
    kitchen.set(auto)
    forecast = kitchen.api("CreateForecast", ForecastName="now", PredictorArn=auto).body["ForecastArn"]
    assert forecast == f"{prefix}forecast/now"
    kitchen.set(forecast)
    export = kitchen.api(
        "CreateForecastExportJob", ForecastExportJobName="out", ForecastArn=forecast, Destination=SOURCE
    )
    assert export.body["ForecastExportJobArn"] == f"{prefix}forecast-export-job/now/out"
    assert kitchen.imported(dataset, "again") == f"{prefix}dataset-import-job/orders/again"


def test_a_predictor_needs_data_and_waits_for_nobody(kitchen: Kitchen) -> None:
    dataset = kitchen.dataset()
    group = kitchen.group(dataset)
    assert kitchen.predictor(group).error == "InvalidInputException"
    kitchen.imported(dataset, status="CREATE_IN_PROGRESS")
    assert kitchen.predictor(group).error == "ResourceInUseException"
    kitchen.imported(dataset, "second", status="CREATE_FAILED")
    kitchen.set(dataset.replace("dataset/orders", "dataset-import-job/orders/first"))
    answer = kitchen.predictor(group)
    found = kitchen.api("DescribeAutoPredictor", PredictorArn=answer.body["PredictorArn"]).body
    assert found["Status"] == "CREATE_PENDING"
    assert found["DatasetImportJobArns"] == [dataset.replace("dataset/orders", "dataset-import-job/orders/first")]
    assert found["ForecastTypes"] == ["0.1", "0.5", "0.9"]


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"ForecastHorizon": None}, "ForecastHorizon"),
        ({"ForecastHorizon": 501}, "500"),
        ({"ForecastHorizon": 0}, "between 1"),
        ({"ForecastFrequency": "D"}, "finer"),
        ({"ForecastTypes": ["0.1", ".10"]}, "different"),
        ({"ForecastTypes": ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]}, "5"),
        ({"ForecastTypes": ["0.0"]}, "0.01"),
        ({"ForecastDimensions": ["site"]}, "site"),
        ({"ExplainPredictor": True}, "ExplainPredictor"),
        ({"TimeAlignmentBoundary": {"Month": "MAY"}}, "Month"),
    ],
)
def test_a_predictor_that_cannot_be_is_refused(kitchen: Kitchen, members: dict[str, Any], named: str) -> None:
    answer = kitchen.predictor(kitchen.ready_group(), **members)
    assert answer.error == "InvalidInputException"
    assert named in answer.body["message"]


@pytest.mark.parametrize(
    ("transformations", "named"),
    [
        ({"aggregation": "median"}, "aggregation"),
        ({"frontfill": "zero"}, "frontfill"),
        ({"middlefill": "guess"}, "middlefill"),
        ({"backfill": "value"}, "backfill_value"),
        ({"backfill": "value", "backfill_value": "many"}, "backfill_value"),
        ({"sidefill": "zero"}, "sidefill"),
    ],
)
def test_a_transformation_that_is_none_is_refused(
    kitchen: Kitchen, transformations: dict[str, str], named: str
) -> None:
    group = kitchen.ready_group()
    config = {
        "DatasetGroupArn": group,
        "AttributeConfigs": [{"AttributeName": "demand", "Transformations": transformations}],
    }
    answer = kitchen.predictor(group, DataConfig=config)
    assert answer.error == "InvalidInputException"
    assert named in answer.body["message"]


def test_windows_of_a_legacy_predictor_are_bounded(kitchen: Kitchen) -> None:
    group = kitchen.ready_group()
    for evaluated in ({"NumberOfBacktestWindows": 6}, {"NumberOfBacktestWindows": 0}, {"BackTestWindowOffset": 3}):
        answer = kitchen.api("CreatePredictor", legacy(group, EvaluationParameters=evaluated))
        assert answer.error == "InvalidInputException"
    assert kitchen.api("CreatePredictor", legacy(group, AlgorithmArn=None)).error == "InvalidInputException"


def test_each_kind_of_predictor_is_described_by_its_own_operation(kitchen: Kitchen) -> None:
    group = kitchen.ready_group()
    auto = kitchen.predictor(group).body["PredictorArn"]
    old = kitchen.api("CreatePredictor", legacy(group)).body["PredictorArn"]
    assert kitchen.api("DescribePredictor", PredictorArn=auto).error == "InvalidInputException"
    assert kitchen.api("DescribeAutoPredictor", PredictorArn=old).error == "InvalidInputException"
    assert kitchen.api("DescribePredictor", PredictorArn=old).body["IsAutoPredictor"] is False


def test_a_predictor_is_trained_anew_as_its_reference(kitchen: Kitchen) -> None:
    group = kitchen.ready_group()
    first = kitchen.predictor(group, ForecastTypes=["0.3"]).body["PredictorArn"]
    again = {"PredictorName": "again", "ReferencePredictorArn": first}
    assert kitchen.api("CreateAutoPredictor", again).error == "ResourceInUseException"
    kitchen.set(first)
    second = kitchen.api("CreateAutoPredictor", again).body["PredictorArn"]
    found = kitchen.api("DescribeAutoPredictor", PredictorArn=second).body
    assert (found["ForecastHorizon"], found["ForecastTypes"]) == (4, ["0.3"])
    assert found["ReferencePredictorSummary"] == {"Arn": first, "State": "Active"}


def test_only_what_is_active_is_used(kitchen: Kitchen) -> None:
    api, predictor = kitchen.api, kitchen.predictor(kitchen.ready_group()).body["PredictorArn"]
    for operation, members in (("CreateForecast", {"ForecastName": "now"}), ("GetAccuracyMetrics", {})):
        kitchen.set(predictor, "CREATE_IN_PROGRESS")
        assert api(operation, PredictorArn=predictor, **members).error == "ResourceInUseException"
        kitchen.set(predictor, "CREATE_FAILED")
        assert api(operation, PredictorArn=predictor, **members).error == "InvalidInputException"


def test_what_is_used_is_not_deleted_and_what_is_deleted_is_pending_first(kitchen: Kitchen) -> None:
    api, group = kitchen.api, kitchen.ready_group()
    predictor = kitchen.predictor(group).body["PredictorArn"]
    assert api("DeletePredictor", PredictorArn=predictor).error == "ResourceInUseException"
    kitchen.set(predictor)
    assert api("DeleteDatasetGroup", DatasetGroupArn=group).error == "ResourceInUseException"
    assert api("DeletePredictor", PredictorArn=predictor).body == {}
    assert api("DescribeAutoPredictor", PredictorArn=predictor).body["Status"] == "DELETE_PENDING"
    assert api("DeletePredictor", PredictorArn=predictor).error == "ResourceInUseException"


def test_three_jobs_of_a_kind_are_under_way_at_most(kitchen: Kitchen) -> None:
    dataset = kitchen.dataset()
    for number in range(3):
        kitchen.imported(dataset, f"n{number}", "CREATE_PENDING")
    request = {"DatasetImportJobName": "n3", "DatasetArn": dataset, "DataSource": SOURCE}
    assert kitchen.api("CreateDatasetImportJob", request).error == "LimitExceededException"
    kitchen.set(dataset.replace("dataset/orders", "dataset-import-job/orders/n0"))
    assert kitchen.api("CreateDatasetImportJob", request).status == 200


def test_an_import_says_how_times_are_written(kitchen: Kitchen) -> None:
    request = {"DatasetImportJobName": "one", "DatasetArn": kitchen.dataset(), "DataSource": SOURCE}
    assert (
        kitchen.api(
            "CreateDatasetImportJob",
            request,
        ).status
        == 200
    )
    for members in ({"TimestampFormat": "dd.MM.yyyy"}, {"TimeZone": "UTC"}, {"UseGeolocationForTimeZone": True}):
        assert kitchen.api("CreateDatasetImportJob", request | members).error == "InvalidInputException"


def test_lists_come_in_pages_the_latest_first(kitchen: Kitchen) -> None:
    made = [kitchen.dataset(f"d{number}") for number in range(5)]
    found, token, pages = [], None, 0
    while pages == 0 or token:
        answer = kitchen.api("ListDatasets", MaxResults=2, **({"NextToken": token} if token else {})).body
        found += [each["DatasetArn"] for each in answer["Datasets"]]
        token, pages = answer.get("NextToken"), pages + 1
    assert (found, pages) == (made[::-1], 3)


@pytest.mark.parametrize("token", ["x", "bm9uZQ==", "é"])
def test_a_token_that_no_page_gave_is_refused(api: Api, token: str) -> None:
    assert api("ListDatasets", NextToken=token).error == "InvalidNextTokenException"


def test_a_token_belongs_to_its_list(kitchen: Kitchen) -> None:
    for number in range(2):
        kitchen.dataset(f"d{number}")
    token = kitchen.api("ListDatasets", MaxResults=1).body["NextToken"]
    assert kitchen.api("ListForecasts", NextToken=token).error == "InvalidNextTokenException"


def test_lists_are_filtered(kitchen: Kitchen) -> None:
    one, two = kitchen.dataset("one"), kitchen.dataset("two")
    imports = [kitchen.imported(one), kitchen.imported(two, status="CREATE_FAILED")]

    def listed(key: str, value: str, condition: str = "IS") -> list[str]:
        filters = [{"Key": key, "Value": value, "Condition": condition}]
        answer = kitchen.api("ListDatasetImportJobs", Filters=filters).body
        return [each["DatasetImportJobArn"] for each in answer["DatasetImportJobs"]]

    assert listed("DatasetArn", one) == [imports[0]]
    assert listed("DatasetArn", one, "IS_NOT") == [imports[1]]
    assert listed("Status", "CREATE_FAILED") == [imports[1]]
    wrong = [{"Key": "Colour", "Value": one, "Condition": "IS"}]
    assert kitchen.api("ListDatasetImportJobs", Filters=wrong).error == "InvalidInputException"
