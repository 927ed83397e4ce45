"""Who is served, and who is not."""

import base64
import os
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.redaction import secrets_of
from orchestrator.service.guard import LONGEST_BODY, is_loopback
from orchestrator.token import find_token
from tests.unit.service.kitchen import BEARER, TOKEN, Kitchen, service

START = {"pipeline": "order-simulation", "date": "2026-11-25"}
PATHS = ("/", "/runs", "/runs/failed", "/runs/failed/logs", "/runs/failed/page", "/unfinished", "/openapi.json", "/no")


def basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'anybody:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Token {TOKEN}",
        TOKEN,
        "Basic !!!",
        "Basic /w==",
        basic("wrong")["Authorization"],
        "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}".encode("latin-1"),
    ],
)
def test_nothing_is_served_without_the_token(kitchen: Kitchen, path: str, authorization: str | bytes | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = service(kitchen).get(path, headers=headers)  # type: ignore[arg-type] # bytes are sent as they are
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "set BRIGADE_TOKEN" in answer.json()["detail"]
    assert TOKEN not in answer.text
    assert kitchen.asked == []


def test_nothing_is_changed_without_the_token(kitchen: Kitchen) -> None:
    client = service(kitchen)
    for path in ("/runs", "/runs/under-way/stop", "/runs/failed/redrive"):
        assert client.post(path, json=START).status_code == 401
    assert kitchen.asked == []


def test_the_token_opens(kitchen: Kitchen) -> None:
    assert service(kitchen).get("/runs", headers=BEARER).status_code == 200
    assert service(kitchen).get("/runs", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_browser_is_asked_for_the_token_and_can_only_read(kitchen: Kitchen) -> None:
    """What it sends by itself, a page from elsewhere could make it send."""
    client = service(kitchen)
    refused = client.get("/runs", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="brigade", charset="UTF-8"')
    assert client.get("/runs", headers={"Accept": "text/html", **basic(TOKEN)}).status_code == 200
    kitchen.asked.clear()
    answer = client.post("/runs", json=START, headers=basic(TOKEN))
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "Basic may only read: bring the token as a Bearer token",
    )
    assert kitchen.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST", "127.9.9.9"])
def test_without_a_token_this_machine_is_served(kitchen: Kitchen, host: str) -> None:
    client = service(kitchen, token=None)
    assert client.get("/runs", headers={"Host": host}).status_code == 200
    own = {"Host": host, "Origin": f"http://{host}"}
    assert client.post("/runs", json=START, headers=own).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "localhost"},
    ],
)
def test_without_a_token_no_page_from_elsewhere_is_served(kitchen: Kitchen, headers: dict[str, str]) -> None:
    client = service(kitchen, token=None)
    assert client.get("/runs", headers=headers).status_code == 403
    assert client.post("/runs", json=START, headers=headers).status_code == 403
    assert kitchen.asked == []


def test_a_body_is_bounded_before_it_is_read(kitchen: Kitchen) -> None:
    client = service(kitchen)
    assert client.post("/runs", content=b" " * (LONGEST_BODY + 1), headers=BEARER).status_code == 413
    assert client.post("/runs", content=iter([b"{", b"}"]), headers=BEARER).status_code == 411
    assert client.post("/health", content=b" " * (LONGEST_BODY + 1)).status_code == 413


def test_answers_are_not_kept_framed_or_guessed_at(kitchen: Kitchen) -> None:
    for answer in (service(kitchen).get("/runs", headers=BEARER), service(kitchen).get("/runs")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_who_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) == here


@pytest.fixture(autouse=True)
def no_token_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIGADE_TOKEN", "BRIGADE_TOKEN_FILE"):
        monkeypatch.setenv(name, "")


def test_the_token_comes_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_token() is None
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    monkeypatch.setenv("BRIGADE_TOKEN_FILE", str(file))
    assert find_token() == TOKEN
    assert TOKEN in secrets_of(os.environ)
    monkeypatch.setenv("BRIGADE_TOKEN", "another-token-of-some-length")
    assert find_token() == "another-token-of-some-length"


@pytest.mark.parametrize(
    "token", ["short", "x" * 15, "with spaces in between", "\N{SNOWMAN}" * 20, "line\nline-line-line"]
)
def test_a_token_that_is_none_is_refused_and_not_repeated(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIGADE_TOKEN", token)
    with pytest.raises(BadRequest, match="take another one") as refused:
        find_token()
    assert token not in str(refused.value)


def test_a_token_file_that_is_empty_or_missing_opens_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    monkeypatch.setenv("BRIGADE_TOKEN_FILE", str(file))
    with pytest.raises(BadRequest, match=r"BRIGADE_TOKEN_FILE cannot be read: .*No such file"):
        find_token()
    file.touch()
    with pytest.raises(BadRequest, match="less than 16 characters"):
        find_token()
