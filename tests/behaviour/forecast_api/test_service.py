"""From files in S3 to a forecast in S3, by plain boto3 clients of a real process."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestrator.embedded.stack import Endpoints
from tests.behaviour.forecast_api.conftest import ROLE
from tests.behaviour.forecast_api.shop import Service, Shop, orders, service, settled, until, week

ITEMS, WEEKS, HORIZON = 3, 60, 4
FILLINGS = {"middlefill": "mean", "backfill": "mean", "futurefill": "mean"}


@pytest.fixture(scope="module")
def running(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("forecast-api"), stack) as made:
        yield made


@pytest.fixture
def shop(running: Service) -> Shop:
    return Shop(running)


def export(shop: Shop, forecast: str, name: str, file_format: str) -> tuple[str, bytes]:
    """Name and content of the file."""
    destination = {"S3Config": {"Path": f"s3://{shop.bucket}/out/{name}", "RoleArn": ROLE}}
    arn = shop.forecast.create_forecast_export_job(
        ForecastExportJobName=name, ForecastArn=forecast, Destination=destination, Format=file_format
    )["ForecastExportJobArn"]
    assert settled(shop.forecast.describe_forecast_export_job, ForecastExportJobArn=arn)["Status"] == "ACTIVE"
    (found,) = shop.s3.list_objects_v2(Bucket=shop.bucket, Prefix=f"out/{name}/")["Contents"]
    return found["Key"], shop.s3.get_object(Bucket=shop.bucket, Key=found["Key"])["Body"].read()


def test_from_files_to_a_forecast_and_nothing_left(shop: Shop) -> None:
    api = shop.forecast
    text = orders(ITEMS, WEEKS)
    middle = text.index("meal-1")
    shop.put("orders/1.csv", text[:middle])
    shop.put("orders/2.csv", text[middle:])
    dataset, prices = shop.dataset(), shop.prices(ITEMS, WEEKS + HORIZON)
    done = shop.imported(dataset, f"s3://{shop.bucket}/orders/")
    assert done["FieldStatistics"]["item_id"]["CountDistinct"] == ITEMS
    assert done["FieldStatistics"]["demand"]["Count"] == ITEMS * WEEKS
    group = shop.group(dataset, prices, shop.kinds_of_meals(ITEMS))
    predictor = shop.predictor(
        group, HORIZON, AttributeConfigs=[{"AttributeName": "price", "Transformations": FILLINGS}]
    )
    trained = settled(api.describe_auto_predictor, PredictorArn=predictor)
    assert (trained["Status"], trained.get("Message")) == ("ACTIVE", None)

    (result,) = api.get_accuracy_metrics(PredictorArn=predictor)["PredictorEvaluationResults"]
    assert [each["EvaluationType"] for each in result["TestWindows"]] == ["SUMMARY", "COMPUTED"]
    assert all(0 < each["WAPE"] < 0.5 for each in result["TestWindows"][1]["Metrics"]["ErrorMetrics"])
    assert len(result["TestWindows"][0]["Metrics"]["WeightedQuantileLosses"]) == 3

    forecast = api.create_forecast(ForecastName="now", PredictorArn=predictor, ForecastTypes=["0.2", "mean"])[
        "ForecastArn"
    ]
    assert settled(api.describe_forecast, ForecastArn=forecast)["DatasetGroupArn"] == group
    key, body = export(shop, forecast, "table", "CSV")
    assert key.startswith("out/table/table_20")
    assert key.endswith("Z_part0.csv")
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert list(rows[0]) == ["item_id", "date", "p20", "mean"]
    assert [each["date"] for each in rows[:HORIZON]] == [f"{week(WEEKS + step)}T00:00:00Z" for step in range(HORIZON)]
    assert {each["item_id"] for each in rows} == {f"meal-{item}" for item in range(ITEMS)}
    _, parquet = export(shop, forecast, "columns", "PARQUET")
    assert pq.read_table(io.BytesIO(parquet)).num_rows == len(rows) == ITEMS * HORIZON

    found = shop.query.query_forecast(
        ForecastArn=forecast, Filters={"item_id": "meal-1"}, StartDate=f"{week(WEEKS + 1)}T00:00:00"
    )["Forecast"]["Predictions"]
    same = [each for each in rows if each["item_id"] == "meal-1"][1:]
    assert found["mean"] == [{"Timestamp": each["date"][:-1], "Value": float(each["mean"])} for each in same]
    with pytest.raises(shop.query.exceptions.ResourceNotFoundException):
        shop.query.query_forecast(ForecastArn=forecast, Filters={"item_id": "meal-9"})
    for members in (
        {"Filters": {"meal": "meal-1"}},
        {"Filters": {"item_id": "meal-1"}, "EndDate": "2030-01-01T00:00:00"},
    ):
        with pytest.raises(shop.query.exceptions.InvalidInputException):
            shop.query.query_forecast(ForecastArn=forecast, **members)

    _delete_all(shop)


def _delete_all(shop: Shop) -> None:
    """As AWS's own samples clean up, from the last to the first."""
    api = shop.forecast
    for listed, kind in (
        ("ForecastExportJobs", "forecast_export_job"),
        ("Forecasts", "forecast"),
        ("Predictors", "predictor"),
        ("DatasetImportJobs", "dataset_import_job"),
        ("Datasets", "dataset"),
        ("DatasetGroups", "dataset_group"),
    ):
        ask, member = getattr(api, f"list_{kind}s"), f"{listed[:-1]}Arn"
        for each in ask()[listed]:
            getattr(api, f"delete_{kind}")(**{member: each[member]})
        until(ask, partial(_is_empty, listed))


def _is_empty(listed: str, found: dict[str, Any]) -> bool:
    return not found[listed]


def test_what_is_wrong_in_a_file_fails_the_import_by_file_and_row(shop: Shop) -> None:
    path = shop.put("bad/1.csv", orders(1, 3) + f"meal-0,{week(3)},lots\n")
    done = shop.imported(shop.dataset(), f"s3://{shop.bucket}/bad/")
    assert done["Status"] == "CREATE_FAILED"
    assert done["Message"] == f"{path}, row 4: demand 'lots' is no number"
    nowhere = shop.imported(done["DatasetArn"], "s3://nowhere/orders.csv", "second")
    assert nowhere["Status"] == "CREATE_FAILED"
    assert "NoSuchBucket" in nowhere["Message"]


def test_what_no_database_takes_holds_nothing_up(shop: Shop) -> None:
    """A NUL in the reason, or a mean that is infinite."""
    dataset = shop.dataset()
    nul = shop.imported(dataset, shop.put("nul.csv", f"meal-0,{week(0)},\0\n"))
    assert nul["Status"] == "CREATE_FAILED"
    assert "row 1: demand" in nul["Message"]
    huge = shop.imported(
        dataset, shop.put("huge.csv", "".join(f"meal-{n},{week(0)},1e308\n" for n in range(4))), "second"
    )
    assert (huge["Status"], "Avg" in huge["FieldStatistics"]["demand"]) == ("ACTIVE", False)
    assert shop.imported(dataset, shop.put("good.csv", orders(1, 3)), "third")["Status"] == "ACTIVE"


def test_a_price_that_is_there_twice_fails_the_import(shop: Shop) -> None:
    prices = shop.prices(1, 2)
    path = shop.put("twice.csv", f"meal-0,{week(0)},5\nmeal-0,{week(0)},6\n")
    done = shop.imported(prices, path, "second")
    assert done["Status"] == "CREATE_FAILED"
    assert f"the 2. row of data: item_id meal-0, timestamp {week(0)} 00:00:00 is there twice" in done["Message"]


def test_an_incremental_import_takes_the_place_of_the_same_weeks_and_adds_others(shop: Shop) -> None:
    dataset = shop.dataset()
    shop.imported(dataset, shop.put("1.csv", orders(2, 50)))
    shop.imported(
        dataset, shop.put("2.csv", f"meal-0,{week(49)},7\nmeal-0,{week(50)},8\n"), "second", ImportMode="INCREMENTAL"
    )
    group = shop.group(dataset)
    predictor = shop.predictor(group)
    assert settled(shop.forecast.describe_auto_predictor, PredictorArn=predictor)["Status"] == "ACTIVE"
    forecast = shop.forecast.create_forecast(ForecastName="now", PredictorArn=predictor)["ForecastArn"]
    settled(shop.forecast.describe_forecast, ForecastArn=forecast)
    found = shop.query.query_forecast(ForecastArn=forecast, Filters={"item_id": "meal-0"})["Forecast"]["Predictions"]
    assert found["p50"][0]["Timestamp"] == f"{week(51)}T00:00:00"


def test_a_horizon_that_the_history_does_not_allow_fails_the_predictor(shop: Shop) -> None:
    dataset = shop.dataset()
    shop.imported(dataset, shop.put("1.csv", orders(2, 40)))
    predictor = shop.predictor(shop.group(dataset), horizon=11)
    found = settled(shop.forecast.describe_auto_predictor, PredictorArn=predictor)
    assert found["Status"] == "CREATE_FAILED"
    assert found["Message"] == "ForecastHorizon 11 is too long: a target time series of 40 steps allows 10"
    with pytest.raises(shop.forecast.exceptions.InvalidInputException, match="CREATE_FAILED"):
        shop.forecast.create_forecast(ForecastName="now", PredictorArn=predictor)


def test_a_forecast_of_chosen_series_has_no_others(shop: Shop) -> None:
    dataset = shop.dataset()
    shop.imported(dataset, shop.put("1.csv", orders(3, 40)))
    predictor = shop.predictor(shop.group(dataset))
    settled(shop.forecast.describe_auto_predictor, PredictorArn=predictor)
    path = shop.put("chosen.csv", "meal-2\nmeal-7\n")
    selector = {
        "DataSource": {"S3Config": {"Path": path, "RoleArn": ROLE}},
        "Schema": {"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"}]},
        "Format": "CSV",
    }
    forecast = shop.forecast.create_forecast(
        ForecastName="some", PredictorArn=predictor, TimeSeriesSelector={"TimeSeriesIdentifiers": selector}
    )["ForecastArn"]
    settled(shop.forecast.describe_forecast, ForecastArn=forecast)
    _, body = export(shop, forecast, "chosen", "CSV")
    assert {each["item_id"] for each in csv.DictReader(io.StringIO(body.decode()))} == {"meal-2"}
