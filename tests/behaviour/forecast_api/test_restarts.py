"""What becomes of jobs when the service, or a process of its, is ended in the middle."""

import contextlib
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import psutil
import psycopg
import pytest

from orchestrator.embedded.stack import Endpoints
from services.forecast_api.jobs import MOST_ATTEMPTS
from tests.behaviour.forecast_api.shop import Service, Shop, service, settled, until


@pytest.fixture(scope="module")
def running(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Each test leaves it running."""
    with service(tmp_path_factory.mktemp("forecast-api"), stack) as made:
        yield made


def attempts(running: Service, arn: str) -> int:
    with psycopg.connect(running.variables["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT attempts FROM forecast_resources WHERE arn = %s", (arn,)).fetchone()
        assert row is not None
        return int(row[0])


def under_way(shop: Shop) -> str:
    """The ARN of a predictor that is being trained."""
    arn = shop.long_training()
    found = until(shop.forecast.describe_predictor, lambda found: found["Status"] != "CREATE_PENDING", PredictorArn=arn)
    assert found["Status"] == "CREATE_IN_PROGRESS"
    return arn


def test_killed_during_a_training_it_goes_on_after_a_restart(running: Service) -> None:
    shop = Shop(running)
    arn = under_way(shop)
    running.kill()
    running.start()
    found = settled(shop.forecast.describe_predictor, PredictorArn=arn)
    assert (found["Status"], found.get("Message")) == ("ACTIVE", None)
    assert attempts(running, arn) == 2
    (result,) = shop.forecast.get_accuracy_metrics(PredictorArn=arn)["PredictorEvaluationResults"]
    windows = [each for each in result["TestWindows"] if each["EvaluationType"] == "COMPUTED"]
    starts = [each["TestWindowStart"] for each in windows]
    assert [before - after for before, after in pairwise(starts)] == [timedelta(weeks=4)] * 4
    statuses = [
        each["Status"] for listed in (shop.forecast.list_dataset_import_jobs()["DatasetImportJobs"],) for each in listed
    ]
    assert statuses == ["ACTIVE"]


def test_a_training_that_ends_its_process_each_time_is_given_up_with_a_reason(running: Service) -> None:
    shop = Shop(running)
    arn = under_way(shop)

    def failed_although_killed(found: dict[str, Any]) -> bool:
        for child in running.children():
            _kill(child)
        return bool(found["Status"] == "CREATE_FAILED")

    found = until(shop.forecast.describe_predictor, failed_although_killed, PredictorArn=arn)
    assert attempts(running, arn) == MOST_ATTEMPTS
    assert "its process did not end well" in found["Message"]
    assert f"{MOST_ATTEMPTS} times" in found["Message"]
    # The service itself is well, and so is the next job.
    assert settled(shop.forecast.describe_predictor, PredictorArn=_again(shop, arn))["Status"] == "ACTIVE"


def _again(shop: Shop, arn: str) -> str:
    """A short one of the same data."""
    group = shop.forecast.describe_predictor(PredictorArn=arn)["InputDataConfig"]["DatasetGroupArn"]
    return str(
        shop.forecast.create_predictor(
            PredictorName="short",
            PerformAutoML=True,
            ForecastHorizon=1,
            InputDataConfig={"DatasetGroupArn": group},
            FeaturizationConfig={"ForecastFrequency": "W"},
        )["PredictorArn"]
    )


def _kill(process: psutil.Process) -> None:
    """Those of the pool, which may have ended by then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if any("spawn_main" in word for word in process.cmdline()):
            process.kill()


def test_told_to_end_it_ends_soon_and_the_attempt_does_not_count(running: Service) -> None:
    shop = Shop(running)
    arn = under_way(shop)
    assert running.stop() == 0
    with psycopg.connect(running.variables["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT status, attempts FROM forecast_resources WHERE arn = %s", (arn,)).fetchone()
    assert row == ("CREATE_PENDING", 0)
    running.start()
    assert settled(shop.forecast.describe_predictor, PredictorArn=arn)["Status"] == "ACTIVE"


def test_a_second_service_on_the_same_database_does_not_start(running: Service) -> None:
    other = Service(running.log.with_name("other.log"), running.variables)
    with pytest.raises(AssertionError, match="another forecast-api works on this database"):
        other.start()
    assert other.process is not None
    assert other.process.wait(30) == 2
    assert isinstance(running.process, subprocess.Popen)
    assert running.process.poll() is None
