"""Which parts are started, and where the other commands find them."""

from pathlib import Path

import boto3
import pytest

from contracts.errors import BadRequest
from orchestrator.embedded.home import Home
from orchestrator.embedded.stack import AWS_ITSELF, Endpoints, find_database_url, find_endpoints, start, status, stop

AWS, DATABASE = "http://127.0.0.1:4566", "postgresql://elsewhere/brigade"
OURS = Endpoints(aws_endpoint_url="http://127.0.0.1:1", database_url="postgresql://ours")


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "DATABASE_URL", "NO_PROXY", "no_proxy", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def up(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.endpoints.write_text(OURS.model_dump_json())
    return home


def test_a_part_the_environment_names_is_not_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", AWS)
    monkeypatch.setenv("DATABASE_URL", DATABASE)
    home = Home(tmp_path / "home")
    endpoints = start(home)
    assert endpoints == Endpoints(aws_endpoint_url=AWS, database_url=DATABASE, embedded_aws=False)
    assert status(home).endpoints == endpoints
    assert status(home).processes == ()
    assert not status(home).running
    stop(home)
    assert status(home).endpoints is None


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert status(home).endpoints is None
    assert not status(home).running
    with pytest.raises(BadRequest):
        find_endpoints(home)
    stop(home)
    assert not home.path.exists()


def test_the_stack_started_last_is_found(up: Home) -> None:
    assert find_endpoints(up) == OURS


def test_the_environment_goes_before_the_stack_started_last(up: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", DATABASE)
    assert find_endpoints(up) == OURS.model_copy(update={"database_url": DATABASE})
    monkeypatch.setenv("AWS_ENDPOINT_URL", AWS)
    assert find_endpoints(up) == Endpoints(aws_endpoint_url=AWS, database_url=DATABASE, embedded_aws=False)


def test_aws_itself_is_asked_for_by_the_setting_of_the_sdks(up: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its services have an endpoint each: with none configured, they find their own."""
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")
    found = find_endpoints(up)
    assert found == Endpoints(aws_endpoint_url=AWS_ITSELF, database_url=OURS.database_url, embedded_aws=False)
    assert "AWS_ACCESS_KEY_ID" not in found.environment()
    for name, value in (found.environment() | {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}).items():
        monkeypatch.setenv(name, value)
    assert boto3.client("sqs").meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("given", "missing"), [("AWS_ENDPOINT_URL", "DATABASE_URL"), ("DATABASE_URL", "AWS_ENDPOINT_URL")]
)
def test_what_is_missing_is_named(given: str, missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(given, "x")
    with pytest.raises(BadRequest, match=f"no stack is running in .*: run `brigade up` first, or set {missing}"):
        find_endpoints(Home(tmp_path))


def test_the_database_alone_is_found_as_the_stack_is(up: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_database_url(up) == OURS.database_url
    with pytest.raises(BadRequest, match=r"no stack is running in .*: run `brigade up` first, or set DATABASE_URL"):
        find_database_url(Home(tmp_path / "empty"))
    monkeypatch.setenv("DATABASE_URL", DATABASE)
    assert find_database_url(up) == find_database_url(Home(tmp_path / "empty")) == DATABASE


def test_credentials_are_made_up_for_the_embedded_stack_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet")
    variables = OURS.environment()
    assert variables["AWS_ACCESS_KEY_ID"] == "test"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert variables["no_proxy"] == variables["NO_PROXY"] == "intranet,127.0.0.1"
    elsewhere = OURS.model_copy(update={"embedded_aws": False}).environment()
    assert elsewhere == {"AWS_ENDPOINT_URL": OURS.aws_endpoint_url, "DATABASE_URL": OURS.database_url}
