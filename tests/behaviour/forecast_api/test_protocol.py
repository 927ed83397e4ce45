"""What every request has in common."""

import json
from collections.abc import Iterator

import pytest
from botocore.loaders import Loader
from starlette.testclient import TestClient

from services.forecast_api.__main__ import HERE
from services.forecast_api.app import create_app
from services.forecast_api.jobs import Jobs
from services.forecast_api.operations import SERVED
from services.forecast_api.store import Pool, open_pool
from tests.behaviour.forecast_api.conftest import Api, target

MODELS = [Loader().load_service_model(service, "service-2") for service in ("forecast", "forecastquery")]
ALL = [name for model in MODELS for name in model["operations"]]
NO_TARGETS = ["", "CreateDataset", "AmazonForecast.", "DynamoDB_20120810.GetItem", "AmazonForecast.Nothing"]


@pytest.mark.parametrize("name", sorted(set(ALL) - set(SERVED)))
def test_an_operation_that_is_not_served_is_named(api: Api, name: str) -> None:
    answer = api(name)
    assert (answer.status, answer.error) == (400, "UnknownOperationException")
    assert answer.body["message"].startswith(f"{name} is not served")


def test_the_operations_that_are_served_are_awss() -> None:
    assert set(SERVED) <= set(ALL)


@pytest.mark.parametrize("header", NO_TARGETS)
def test_a_target_that_is_none_is_refused(client: TestClient, header: str) -> None:
    answer = client.post("/", content=b"{}", headers={"X-Amz-Target": header})
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'"a"', b'{"a": NaN}', b"\xff", b'{"DatasetName": "\\ud800"}', b'{"a":' * 500 + b"1" + b"}" * 500],
)
def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    assert api("CreateDataset", body).error == "SerializationException"


def test_a_body_that_is_too_long_or_comes_in_chunks_is_refused(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"{}"

    headers = {"X-Amz-Target": "AmazonForecast.ListDatasets"}
    for content in (b" " * (1024 * 1024 + 1), chunks()):
        answer = client.post("/", content=content, headers=headers)
        assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_members_that_nobody_knows_are_passed_over(api: Api) -> None:
    assert api("CreateDataset", target(Colour="blue")).status == 200


def test_accounts_and_regions_do_not_see_each_other(client: TestClient) -> None:
    ours, others = Api(client, "111111111111"), Api(client, "222222222222")
    arn = ours("CreateDataset", target()).body["DatasetArn"]
    assert arn == "arn:aws:forecast:us-east-1:111111111111:dataset/orders"
    assert others("DescribeDataset", DatasetArn=arn).error == "ResourceNotFoundException"
    assert others("ListDatasets").body == {"Datasets": []}
    assert others("CreateDataset", target()).status == 200
    elsewhere = {"Authorization": "AWS4-HMAC-SHA256 Credential=111111111111/20261130/eu-west-1/forecast/aws4_request"}
    answer = client.post("/", content=b"{}", headers=elsewhere | {"X-Amz-Target": "AmazonForecast.ListDatasets"})
    assert answer.json() == {"Datasets": []}


def test_here_it_is_called_by_no_other_name(pool: Pool, resources: str) -> None:
    headers = {"X-Amz-Target": "AmazonForecast.ListDatasets"}
    with TestClient(create_app(pool, Jobs(resources, 1), HERE), base_url="http://127.0.0.1:9298") as client:
        assert client.post("/", content=b"{}", headers=headers).status_code == 200
        assert client.post("/", content=b"{}", headers=headers | {"Host": "rebound.example"}).status_code == 400


def test_a_mistake_of_its_own_is_an_internal_failure(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: object) -> dict[str, object]:
        raise ZeroDivisionError

    monkeypatch.setattr("services.forecast_api.app.SERVED", {"ListDatasets": mistaken})
    answer = api("ListDatasets")
    assert (answer.status, answer.error) == (500, "InternalFailure")


def test_without_its_database_it_is_unavailable_for_now() -> None:
    with open_pool("postgresql://nobody@127.0.0.1:1/none") as pool, TestClient(create_app(pool, Jobs("", 1))) as client:
        answer = client.post("/", content=json.dumps({}), headers={"X-Amz-Target": "AmazonForecast.ListDatasets"})
        assert (answer.status_code, answer.json()["__type"]) == (503, "ServiceUnavailableException")
        assert client.get("/health").text == "ok\n"
