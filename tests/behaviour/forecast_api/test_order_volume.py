"""The order-volume pipeline's handlers on the real service, S3 and database: what they publish, and what failures become."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import boto3
import pytest

from contracts.amazon_forecast import CALLBACK, POLLING
from contracts.errors import BadData, ResourceFailed
from orchestrator.embedded.stack import Endpoints
from services.runtime.claim_check import S3Files
from services.runtime.forecasting import Connection
from services.runtime.telemetry import ApiCalls
from tests.behaviour.forecast_api.shop import Service, service
from tests.behaviour.forecast_api.volume import BUCKET, Run, day, files_in_s3

NUMBER = count(1)


@pytest.fixture(scope="module")
def running(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("forecast-api"), stack) as made:
        yield made


@pytest.fixture(scope="module")
def files(running: Service) -> Iterator[S3Files]:
    """The environment names the stack as long as the service runs."""
    with files_in_s3() as made:
        yield made


@dataclass(frozen=True)
class Kitchen:
    new_run: Callable[..., Run]
    calls: ApiCalls


@pytest.fixture
def kitchen(running: Service, files: S3Files, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    monkeypatch.setenv("AWS_ENDPOINT_URL_FORECAST", f"http://127.0.0.1:{running.port}")
    calls = ApiCalls()
    connection = Connection(calls.watch)
    return Kitchen(lambda **more: Run(f"2026-11-25-test-{next(NUMBER)}", files, connection, **more), calls)


def test_both_ways_to_wait_publish_the_same(kitchen: Kitchen) -> None:
    polling, callback = kitchen.new_run(), kitchen.new_run()
    first = polling.published(POLLING)
    second = callback.published(CALLBACK)
    assert (first.sha256, first.rows) == (second.sha256, 8)
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=first.csv_uri.split("/", 3)[3])["Body"].read()
    assert hashlib.sha256(body).hexdigest() == first.sha256
    assert body.splitlines()[0] == b"week,factory,kind,name,unit,mean,p10,p50,p90"
    assert body.splitlines()[1].startswith(b"2026-11-28,A,boxes,east,boxes,")
    rows = polling.volume(first)
    assert [(row["week"], row["region"], row["factory"]) for row in rows] == [
        (day(step), *region) for step in (2, 3, 4, 5) for region in (("east", "A"), ("west", "B"))
    ]
    assert {row["method"] for row in rows} == {"amazon-forecast"}
    for row in rows:
        assert 300 < row["p10"] < row["p50"] < row["p90"] < 1500
    assert polling.looks["predictor"] > 1
    assert callback.looks == dict.fromkeys(callback.looks, 1) | {"volume-forecast": 2}
    assert callback.beats["predictor"] > 1
    assert kitchen.calls.snapshot()["forecast.CreateAutoPredictor"] == 2


def test_a_repeat_of_every_step_finds_what_there_is(kitchen: Kitchen) -> None:
    run = kitchen.new_run()
    first = run.published()
    before = kitchen.calls.snapshot()
    run.looks.clear()
    assert run.published() == first
    made = {name: many - before.get(name, 0) for name, many in kitchen.calls.snapshot().items() if ".Create" in name}
    assert set(made.values()) == {0}
    assert set(run.looks.values()) == {1, 2}


def test_exported_files_that_are_gone_are_exported_again(kitchen: Kitchen) -> None:
    run = kitchen.new_run()
    first = run.published()
    s3 = boto3.client("s3")
    below = f"volume-export/{run.run_id}/-/exported-A/"
    (file,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=below)["Contents"]
    s3.delete_object(Bucket=BUCKET, Key=file["Key"])
    run.looks.clear()
    assert run.published() == first
    assert run.looks["volume-export"] > 1


def test_a_service_killed_in_a_training_holds_the_run_up_and_no_more(kitchen: Kitchen, running: Service) -> None:
    run = kitchen.new_run()
    looks: list[str] = []

    def kill_once(component: str) -> None:
        looks.append(component)
        if looks.count("predictor") == 2:  # it has been asked for
            running.kill()
        if looks.count("predictor") == 4:
            running.start()

    run.between = kill_once
    assert run.published().rows == 8
    assert run.looks["predictor"] > 4


def test_a_training_that_fails_is_deleted_and_made_anew(kitchen: Kitchen) -> None:
    run = kitchen.new_run(weeks=12)
    plan, extracted = run.inputs()
    group = run.group(plan)
    for _ in range(2):
        with pytest.raises(ResourceFailed) as raised:
            run.trained(plan, group, extracted)
        assert "ForecastHorizon 5 is too long: a target time series of 12 steps allows 3" in str(raised.value)
        assert "--flag order-volume=direct" in str(raised.value)
    assert kitchen.calls.snapshot()["forecast.CreateAutoPredictor"] == 2


def test_what_the_service_refuses_is_no_reason_to_look_again(kitchen: Kitchen) -> None:
    run = kitchen.new_run()
    plan, extracted = run.inputs()
    later = tuple(week.model_copy(update={"starts": day(501)}) for week in plan.weeks)
    with pytest.raises(BadData, match=r"CreateAutoPredictor of predictor volume_\w+: InvalidInputException: .*500"):
        run.trained(plan.model_copy(update={"weeks": later}), run.group(plan), extracted)
