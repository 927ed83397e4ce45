"""Forecast a meal shop's orders through Amazon Forecast's API, with nothing but boto3.

    brigade up && brigade forecast-api --port 9298 &
    export AWS_ENDPOINT_URL_FORECAST=http://127.0.0.1:9298 AWS_ENDPOINT_URL_FORECASTQUERY=http://127.0.0.1:9298
    export AWS_ENDPOINT_URL=...  # S3, as `brigade status` shows it
    python examples/amazon_forecast.py orders.csv

The file has a row for each meal and week that it was on offer: week (a number), fid (the meal), totalprice, num_orders.
The last weeks are kept back and compared with what the exported forecast said of them, once without prices and once
with the prices of the coming weeks known. Against AWS, leave the endpoints out and name a --bucket and a --role of your own.
"""

import argparse
import csv
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3

MONDAY = date(2024, 1, 1)
"""Weeks have numbers only: where week 0 is put does not matter."""

QUANTILES = ["0.1", "0.5", "0.9"]

TARGET = [("item_id", "string"), ("timestamp", "timestamp"), ("demand", "float")]
RELATED = [("item_id", "string"), ("timestamp", "timestamp"), ("price", "float")]

# A week without a row says nothing: the meal was not on offer. Prices of such weeks do not matter, but must be there.
UNKNOWN = {"AttributeName": "demand", "Transformations": {"middlefill": "nan", "backfill": "nan"}}
FILLED = {
    "AttributeName": "price",
    "Transformations": {"middlefill": "mean", "backfill": "mean", "futurefill": "mean"},
}


@dataclass(frozen=True)
class Row:
    meal: str
    week: int
    price: float
    orders: float

    @property
    def monday(self) -> str:
        return (MONDAY + timedelta(weeks=self.week)).isoformat()


def main() -> None:
    asked = arguments()
    rows = read(asked.file)
    first_unknown = max(row.week for row in rows) - asked.horizon + 1
    started = time.monotonic()
    shop = Shop(asked.bucket, asked.role, asked.prefix)
    orders = shop.dataset("orders", "TARGET_TIME_SERIES", TARGET)
    prices = shop.dataset("prices", "RELATED_TIME_SERIES", RELATED)
    known = [(row.meal, row.monday, row.orders) for row in rows if row.week < first_unknown]
    imports = [
        shop.start_import(orders, "orders.csv", known),
        shop.start_import(prices, "prices.csv", [(row.meal, row.monday, row.price) for row in rows]),
    ]
    for each in imports:
        wait(shop.forecast.describe_dataset_import_job, DatasetImportJobArn=each)

    variants = {"without_prices": ([orders], [UNKNOWN]), "with_prices": ([orders, prices], [UNKNOWN, FILLED])}
    with ThreadPoolExecutor() as side_by_side:
        done = {
            name: side_by_side.submit(shop.run, name, asked.horizon, *variant) for name, variant in variants.items()
        }
        held_back = [row for row in rows if row.week >= first_unknown]
        for name, result in done.items():
            report(name, result.result(), held_back)
    print(f"{time.monotonic() - started:.0f} s")


@dataclass(frozen=True)
class Outcome:
    """`table` is the exported file, by meal and Monday; `one` is what QueryForecast says of its first meal."""

    table: dict[tuple[str, str], dict[str, str]]
    one: dict[str, Any]
    metrics: dict[str, Any]


class Shop:
    """The calls. Every ARN is one that the service gave: none is made from a name."""

    def __init__(self, bucket: str, role: str, prefix: str) -> None:
        self.s3: Any = boto3.client("s3")
        self.forecast: Any = boto3.client("forecast")
        self.query: Any = boto3.client("forecastquery")
        self.bucket, self.role, self.prefix = bucket, role, prefix
        if bucket not in [each["Name"] for each in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(Bucket=bucket)

    def dataset(self, name: str, kind: str, columns: list[tuple[str, str]]) -> str:
        arn = self.forecast.create_dataset(
            DatasetName=f"{self.prefix}_{name}",
            Domain="RETAIL",
            DatasetType=kind,
            DataFrequency="W",
            Schema={"Attributes": [{"AttributeName": column, "AttributeType": of} for column, of in columns]},
        )["DatasetArn"]
        return str(arn)

    def start_import(self, dataset: str, name: str, rows: list[tuple[Any, ...]]) -> str:
        body = io.StringIO()
        csv.writer(body).writerows(rows)
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=body.getvalue())
        arn = self.forecast.create_dataset_import_job(
            DatasetImportJobName="all",
            DatasetArn=dataset,
            DataSource={"S3Config": self._path(name)},
            TimestampFormat="yyyy-MM-dd",
        )["DatasetImportJobArn"]
        return str(arn)

    def run(self, name: str, horizon: int, datasets: list[str], filling: list[dict[str, Any]]) -> Outcome:
        """Train, forecast, export, query, and read the metrics."""
        api, unique = self.forecast, f"{self.prefix}_{name}"
        group = api.create_dataset_group(DatasetGroupName=unique, Domain="RETAIL", DatasetArns=datasets)
        predictor = api.create_auto_predictor(
            PredictorName=unique,
            ForecastHorizon=horizon,
            ForecastFrequency="W",
            ForecastTypes=QUANTILES,
            DataConfig={"DatasetGroupArn": group["DatasetGroupArn"], "AttributeConfigs": filling},
        )["PredictorArn"]
        wait(api.describe_auto_predictor, PredictorArn=predictor)
        forecast = api.create_forecast(ForecastName=unique, PredictorArn=predictor)["ForecastArn"]
        wait(api.describe_forecast, ForecastArn=forecast)
        export = api.create_forecast_export_job(
            ForecastExportJobName="export", ForecastArn=forecast, Destination={"S3Config": self._path(f"{name}/")}
        )["ForecastExportJobArn"]
        wait(api.describe_forecast_export_job, ForecastExportJobArn=export)
        table = self._exported(f"{name}/")
        one = self.query.query_forecast(ForecastArn=forecast, Filters={"item_id": min(table)[0]})
        metrics = api.get_accuracy_metrics(PredictorArn=predictor)["PredictorEvaluationResults"][0]
        return Outcome(table, one["Forecast"]["Predictions"], metrics["TestWindows"][0]["Metrics"])

    def _path(self, name: str) -> dict[str, str]:
        return {"Path": f"s3://{self.bucket}/{self.prefix}/{name}", "RoleArn": self.role}

    def _exported(self, folder: str) -> dict[tuple[str, str], dict[str, str]]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/{folder}")["Contents"]
        table: dict[tuple[str, str], dict[str, str]] = {}
        for each in found:
            body = self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read().decode()
            table |= {(row["item_id"], row["date"][:10]): row for row in csv.DictReader(io.StringIO(body))}
        return table


def wait(describe: Callable[..., Any], **arn: str) -> None:
    """Until it is ACTIVE."""
    while (found := describe(**arn))["Status"] != "ACTIVE":
        if found["Status"].endswith("FAILED"):
            raise SystemExit(f"{arn} is {found['Status']}: {found['Message']}")
        time.sleep(0.5)


def report(name: str, outcome: Outcome, held_back: list[Row]) -> None:
    """WAPE of the P50, and how many of the orders lie between P10 and P90, in the weeks that were kept back."""
    cells = [
        (row.orders, outcome.table[row.meal, row.monday])
        for row in held_back
        if (row.meal, row.monday) in outcome.table
    ]
    missed = sum(abs(orders - float(cell["p50"])) for orders, cell in cells)
    inside = sum(float(cell["p10"]) <= orders <= float(cell["p90"]) for orders, cell in cells)
    wape, coverage = missed / sum(orders for orders, _ in cells), inside / len(cells)
    backtest = next(each["WAPE"] for each in outcome.metrics["ErrorMetrics"] if each["ForecastType"] == "0.5")
    steps = ", ".join(f"{each['Value']:.0f}" for each in outcome.one["p50"])
    print(f"{name}: WAPE {wape:.3f}, coverage {coverage:.3f} of {len(cells)} (WAPE of the backtest {backtest:.3f})")
    print(f"  P50 of one meal: {steps}")


def read(path: str) -> list[Row]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return [
            Row(row["fid"], int(row["week"]), float(row["totalprice"]), float(row["num_orders"]))
            for row in csv.DictReader(file)
        ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Forecast a meal shop's orders through Amazon Forecast's API.")
    parser.add_argument("file", help="CSV with week, fid, totalprice and num_orders")
    parser.add_argument("--horizon", type=int, default=10, help="weeks that are kept back and forecast")
    parser.add_argument("--bucket", default="forecast-example")
    parser.add_argument(
        "--role", default="arn:aws:iam::000000000000:role/forecast", help="with which AWS reads the bucket"
    )
    parser.add_argument("--prefix", default=f"shop_{int(time.time())}", help="of all names, so that it can run again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
