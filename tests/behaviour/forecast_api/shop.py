"""`brigade forecast-api` as a process, plain boto3 clients of it, and a shop's orders in S3."""

import io
import os
import signal
import socket
import subprocess
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.typed import BRIGADE
from tests.behaviour.forecast_api.conftest import ROLE, attributes, empty_database, target

MONDAY = date(2024, 1, 1)
PATIENCE = 180
"""Seconds, for a machine that does other things too."""


def week(number: int) -> str:
    return (MONDAY + timedelta(weeks=number)).isoformat()


@dataclass
class Service:
    """One process on one port; killed or stopped, it can be started again."""

    log: Path
    variables: dict[str, str]
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.port = self.port or _free_port()
        with self.log.open("ab") as output:
            argv = [BRIGADE, "forecast-api", "--port", str(self.port), "--workers", "2"]
            self.process = subprocess.Popen(argv, env=self.variables, stdout=output, stderr=subprocess.STDOUT)
        self._answers()

    def kill(self) -> None:
        """Without a word, as a machine that is gone; its processes end by themselves."""
        assert self.process is not None
        children = self.children()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        assert not psutil.wait_procs(children, timeout=30)[1]

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    @retry(retry=retry_if_exception_type(OSError), wait=wait_fixed(0.1), stop=stop_after_delay(PATIENCE), reraise=True)
    def _answers(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).close()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def service(folder: Path, stack: Endpoints) -> Iterator[Service]:
    """On a database of its own."""
    with empty_database(stack.database_url) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # It would remember the account of an earlier test.
        for name, value in (stack.environment() | {"DATABASE_URL": url, "BRIGADE_HOME": "/nowhere"}).items():
            patch.setenv(name, value)
        made = Service(folder / "forecast-api.log", dict(os.environ))
        made.start()
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.stop()


@dataclass
class Shop:
    """What a user's script does, with boto3's own clients. The account, and the bucket, are its own."""

    service: Service
    account: str = field(default_factory=lambda: f"{uuid.uuid4().int % 10**12:012}")
    forecast: Any = field(init=False)
    query: Any = field(init=False)
    s3: Any = field(init=False)

    def __post_init__(self) -> None:
        url = f"http://127.0.0.1:{self.service.port}"
        ours: dict[str, Any] = {
            "endpoint_url": url,
            "aws_access_key_id": self.account,
            "aws_secret_access_key": "any",
            "config": Config(retries={"max_attempts": 0}),
        }
        self.forecast = boto3.client("forecast", **ours)
        self.query = boto3.client("forecastquery", **ours)
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)

    @property
    def bucket(self) -> str:
        return f"shop-{self.account}"

    def put(self, key: str, body: str | bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def dataset(self, **members: Any) -> str:
        return str(self.forecast.create_dataset(**target(**members))["DatasetArn"])

    def import_(self, dataset: str, path: str, name: str = "first", **members: Any) -> str:
        source = {"S3Config": {"Path": path, "RoleArn": ROLE}}
        answer = self.forecast.create_dataset_import_job(
            DatasetImportJobName=name, DatasetArn=dataset, DataSource=source, TimestampFormat="yyyy-MM-dd", **members
        )
        return str(answer["DatasetImportJobArn"])

    def imported(self, dataset: str, path: str, name: str = "first", **members: Any) -> dict[str, Any]:
        arn = self.import_(dataset, path, name, **members)
        return settled(self.forecast.describe_dataset_import_job, DatasetImportJobArn=arn)

    def group(self, *datasets: str, name: str = "shop") -> str:
        answer = self.forecast.create_dataset_group(DatasetGroupName=name, Domain="RETAIL", DatasetArns=list(datasets))
        return str(answer["DatasetGroupArn"])

    def predictor(self, group: str, horizon: int = 4, **members: Any) -> str:
        answer = self.forecast.create_auto_predictor(
            PredictorName="weekly",
            ForecastHorizon=horizon,
            ForecastFrequency="W",
            DataConfig={"DatasetGroupArn": group, **members},
        )
        return str(answer["PredictorArn"])

    def long_training(self, items: int = 8) -> str:
        """Of some seconds: its process imports the models first, and each of five windows has a backtest of its own."""
        dataset = self.dataset()
        self.imported(dataset, self.put("many.csv", orders(items, 120)))
        return str(
            self.forecast.create_predictor(
                PredictorName="long",
                PerformAutoML=True,
                ForecastHorizon=4,
                InputDataConfig={"DatasetGroupArn": self.group(dataset)},
                FeaturizationConfig={"ForecastFrequency": "W"},
                EvaluationParameters={"NumberOfBacktestWindows": 5},
            )["PredictorArn"]
        )

    def kinds_of_meals(self, items: int) -> str:
        """Item metadata in its dataset."""
        schema = attributes(item_id="string", cuisine="string")
        dataset = self.forecast.create_dataset(
            DatasetName="meals", Domain="RETAIL", DatasetType="ITEM_METADATA", Schema=schema
        )["DatasetArn"]
        rows = "".join(f"meal-{item},thai\n" for item in range(items))
        assert self.imported(dataset, self.put("meals.csv", rows))["Status"] == "ACTIVE"
        return str(dataset)

    def prices(self, items: int, weeks: int) -> str:
        """A related time series, as Parquet, in its dataset."""
        rows = [
            (f"meal-{item}", week(number), 5.0 + (item + number) % 3)
            for item in range(items)
            for number in range(weeks)
        ]
        table = pa.table(dict(zip(("item_id", "timestamp", "price"), zip(*rows, strict=True), strict=True)))
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        schema = attributes(item_id="string", timestamp="timestamp", price="float")
        dataset = self.dataset(name="prices", DatasetType="RELATED_TIME_SERIES", Schema=schema)
        self.imported(dataset, self.put("prices.parquet", buffer.getvalue()), Format="PARQUET")
        return dataset


def orders(items: int, weeks: int, seed: int = 1) -> str:
    """CSV without names: a level for each meal, and noise."""
    rng = np.random.default_rng(seed)
    return "".join(
        f"meal-{item},{week(number)},{round(100 * (item + 1) * float(np.exp(0.2 * rng.standard_normal())))}\n"
        for item in range(items)
        for number in range(weeks)
    )


def settled(describe: Callable[..., Any], **arn: str) -> dict[str, Any]:
    """What describes a resource that nobody is making any more."""
    return until(describe, lambda found: found["Status"] in ("ACTIVE", "CREATE_FAILED"), **arn)


def until(describe: Callable[..., Any], holds: Callable[[Any], bool], **arn: str) -> dict[str, Any]:
    asked = retry(
        retry=retry_if_result(lambda found: not holds(found)), wait=wait_fixed(0.05), stop=stop_after_delay(PATIENCE)
    )
    return dict(asked(lambda: describe(**arn))())
