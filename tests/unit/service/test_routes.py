"""What each route takes, hands over and answers, and that errors have a status and say what to do next."""

import json
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from psycopg_pool import PoolTimeout
from starlette.testclient import TestClient

from contracts.errors import BadData, BadRequest, TransientError
from orchestrator.database import NotDeployed
from orchestrator.history import HasEnded, NoSuchRun, RunHistory
from orchestrator.logs import LinesElsewhere
from orchestrator.once import KeyReused
from orchestrator.operations import RunAsked
from orchestrator.redrive import UnderWay
from tests.support.html import Page
from tests.unit.service.kitchen import BEARER, PAGES, Kitchen, service

START = {"pipeline": "order-simulation", "date": "2026-11-25"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_start_is_handed_over_with_its_key(client: TestClient, kitchen: Kitchen) -> None:
    body = START | {"style": "choreographed", "flags": {"order-simulator": "v2"}, "seed": 7}
    answer = client.post("/runs", json=body, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/runs/new")
    assert answer.json() == {"run_id": "new", "repeated": False, "waits_for": ["publisher v1"]}
    assert kitchen.asked == [("start", RunAsked.model_validate(body), "k1")]
    again = client.post("/runs", json=body, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["repeated"]) == (200, True)


def test_a_start_needs_little(client: TestClient, kitchen: Kitchen) -> None:
    assert client.post("/runs", json=START).status_code == 201
    assert kitchen.asked == [("start", RunAsked.model_validate(START), None)]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"date": "2026-02-30"}, "body.date"),
        ({"date": 1795549157}, "body.date: Value error, write YYYY-MM-DD"),
        ({"date": "10000-01-01"}, "body.date"),
        ({"pipeline": "p" * 65}, "body.pipeline"),
        ({"pipeline": 3}, "body.pipeline"),
        ({"style": "improvised"}, "body.style"),
        ({"seed": 10**400}, "body.seed"),
        ({"seed": -1}, "body.seed"),
        ({"seed": 1.0}, "body.seed"),
        ({"seed": True}, "body.seed"),
        ({"flags": {f"f{n}": "v1" for n in range(21)}}, "body.flags"),
        ({"flags": {"order-simulator": None}}, "body.flags.order-simulator"),
        ({"sed": 1}, "body.sed: Extra inputs are not permitted"),
    ],
)
def test_what_is_not_understood_is_answered_with_its_place(
    client: TestClient, kitchen: Kitchen, change: dict[str, Any], place: str
) -> None:
    answer = client.post("/runs", json=START | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(place)
    assert answer.json()["detail"].endswith("/openapi.json describes what is taken")
    assert kitchen.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b'{"pipeline": "\\ud800", "date": "2026-11-25"}',
        b'{"\\ud800": 1}',
        b'{"pipeline": "order-simulation", "date": "2026-11-25", "flags": {"\\udfff": "v1"}}',
        b'{"seed": ' + b"9" * 5000 + b"}",
        b"[" * 30_000,
    ],
)
def test_bad_bodies_are_the_caller_s_fault(client: TestClient, body: bytes) -> None:
    answer = client.post("/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, "\x7f", "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()])
def test_a_key_is_a_word(client: TestClient, key: str | bytes) -> None:
    answer = client.post("/runs", json=START, headers={"Idempotency-Key": key})  # type: ignore[arg-type] # bytes are sent as they are
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("header.Idempotency-Key")


@pytest.mark.parametrize("body", [b"\xff", b"[" * 30_000])
def test_a_body_that_is_no_json_is_invalid(client: TestClient, body: bytes) -> None:
    answer = client.post("/runs", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid")
    assert answer.json()["detail"].endswith("send JSON in UTF-8; /openapi.json describes what is taken")


def test_a_pipeline_that_there_is_not(client: TestClient) -> None:
    answer = client.post("/runs", json=START | {"pipeline": "supper"})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "title": "BadRequest",
            "status": 400,
            "detail": "unknown pipeline 'supper': there is order-simulation",
            "error": "BadRequest",
        },
    )


def test_runs_are_listed_and_read(client: TestClient, kitchen: Kitchen) -> None:
    assert [run["run_id"] for run in client.get("/runs").json()] == ["under-way", "failed"]
    assert [run["run_id"] for run in client.get("/runs?limit=1").json()] == ["under-way"]
    assert client.get("/runs?limit=1001").status_code == 422
    assert client.get("/unfinished").json() == ["under-way"]
    found = RunHistory.model_validate_json(client.get("/runs/failed").content)
    assert found == PAGES["failed"].page().history
    assert client.get("/runs/failed/logs?component=publisher").json()[0]["message"] == "publishes"


def test_runs_are_stopped_and_redriven(client: TestClient, kitchen: Kitchen) -> None:
    assert client.post("/runs/under-way/stop").json() == {"run_id": "under-way", "status": "FAILED"}
    assert client.post("/runs/failed/stop").status_code == 409
    assert client.post("/runs/failed/redrive").json() == {"run_id": "failed", "status": "RUNNING"}
    client.post("/runs/failed/redrive", json={"style": "choreographed"})
    assert kitchen.asked[-1] == ("redrive", "failed", "choreographed")
    assert client.post("/runs/failed/redrive", json={"style": "x"}).status_code == 422


@pytest.mark.parametrize("path", ["/runs/none", "/runs/none/logs", "/runs/none/page"])
def test_a_run_that_there_is_not(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "NoSuchRun")
    assert answer.json()["detail"] == "there is no run 'none': `brigade runs` lists them"


@pytest.mark.parametrize("run_id", ["%00", "a%00b", "x" * 65, "%F0%9F%8D%B2", "%ED%A0%80", "a.b", "%2e%2e"])
@pytest.mark.parametrize("path", ["", "/logs", "/page"])
def test_no_id_reaches_the_database_that_cannot_be_one(
    client: TestClient, kitchen: Kitchen, run_id: str, path: str
) -> None:
    assert client.get(f"/runs/{run_id}{path}").status_code in (404, 422)
    assert kitchen.asked == []


def test_what_is_not_served(client: TestClient) -> None:
    for answer, status in ((client.get("/nothing"), 404), (client.delete("/runs"), 405)):
        assert (answer.status_code, answer.json()["error"]) == (status, "NotServed")
        assert "/openapi.json lists what is" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoSuchRun("no"), 404),
        (LinesElsewhere("no"), 404),
        (HasEnded("no"), 409),
        (UnderWay("no"), 409),
        (KeyReused("no"), 422),
        (BadRequest("no"), 400),
        (NotDeployed("no"), 503),
        (TransientError("no"), 503),
        (BadData("no"), 500),
        (PoolTimeout("no"), 503),
        (psycopg.OperationalError("gone\nfor good"), 503),
        (EndpointConnectionError(endpoint_url="http://x"), 503),
        (ClientError({"Error": {"Code": "Denied", "Message": "no"}}, "Send"), 503),
        (KeyError("hunter2"), 500),
    ],
)
def test_each_error_has_its_status(client: TestClient, kitchen: Kitchen, error: Exception, status: int) -> None:
    kitchen.raising = error
    answer = client.get("/runs")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "hunter2" not in answer.text


def test_no_secret_is_answered(client: TestClient, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://kitchen:hunter2-and-more@db/kitchen")
    kitchen.raising = psycopg.OperationalError("no route for hunter2-and-more to db")
    detail = client.get("/runs").json()["detail"]
    assert detail == "the database did not answer as it should: no route for *** to db; ask again in a moment"


def test_the_description_is_served_and_says_what_the_routes_say(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/health",
        "/runs",
        "/unfinished",
        "/runs/{run_id}",
        "/runs/{run_id}/logs",
        "/runs/{run_id}/page",
        "/runs/{run_id}/stop",
        "/runs/{run_id}/redrive",
    }
    assert "Idempotency-Key" in json.dumps(document["paths"]["/runs"]["post"]["parameters"])
    assert document["components"]["securitySchemes"] == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}


def test_a_browser_gets_pages(client: TestClient) -> None:
    assert client.get("/").headers["location"] == "/runs"
    listed = client.get("/runs", headers=HTML)
    assert listed.headers["content-type"] == "text/html; charset=utf-8"
    found = Page(listed.text)
    assert found.problems == []
    assert [link["href"] for link in found.of("a")] == ["/runs/under-way", "/runs/failed"]
    one = client.get("/runs/failed", headers=HTML)
    assert Page(one.text).problems == []
    assert Page(one.text).headings[0] == PAGES["failed"].run_id


def test_a_browser_is_told_in_a_page_what_is_wrong(client: TestClient, kitchen: Kitchen) -> None:
    for path, status, title in (("/runs/none", 404, "Not Found"), ("/no", 404, "Not Found"), ("/runs/a.b", 422, "Unp")):
        answer = client.get(path, headers=HTML)
        found = Page(answer.text)
        assert (answer.status_code, found.problems) == (status, [])
        assert found.headings[0].startswith(title)
    kitchen.raising = psycopg.OperationalError("gone <b>")
    answer = client.get("/runs", headers=HTML)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "gone <b>; ask again in a moment" in Page(answer.text).text


def test_a_run_page_asks_again_often_while_the_run_goes_on(client: TestClient) -> None:
    def refresh(path: str) -> str | None:
        (body,) = Page(client.get(path, headers=HTML).text).of("body")
        return body.get("data-refresh")

    assert (refresh("/runs/under-way"), refresh("/runs/failed"), refresh("/runs")) == ("2", "15", "5")
    assert "data-refresh" not in client.get("/runs/failed/page").text


def test_a_list_without_runs_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kitchen, "runs", lambda self, limit: [])
    assert "There are none yet: start one with" in client.get("/runs", headers=HTML).text


def test_health_needs_no_token_and_a_database(kitchen: Kitchen) -> None:
    client = service(kitchen)
    assert client.get("/health").json() == {"status": "ok"}
    kitchen.raising = psycopg.OperationalError("gone")
    assert client.get("/health").status_code == 503
    assert client.get("/health", headers=BEARER).status_code == 503
