"""The command line's side: the same results through a service, and its refusals as the same errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from contracts.errors import BadRequest, TransientError
from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.operations import RunAsked
from orchestrator.service.app import create_app
from orchestrator.service.client import Client
from tests.support.server import serving
from tests.unit.service.kitchen import PAGES, TOKEN, Kitchen, opened

ASKED = RunAsked.model_validate({"pipeline": "order-simulation", "date": "2026-11-25", "seed": 7})


@pytest.fixture(scope="module")
def behind() -> Kitchen:
    return Kitchen()


@pytest.fixture(scope="module")
def url(behind: Kitchen) -> Iterator[str]:
    """Of a server in this process."""
    with serving(create_app(opened(behind), TOKEN)) as found:
        yield found


@pytest.fixture
def client(url: str, behind: Kitchen) -> Client:
    behind.raising = None
    behind.asked.clear()
    return Client(url, TOKEN)


def test_it_gives_what_is_there(client: Client, behind: Kitchen) -> None:
    assert client.runs(2) == behind.runs(2)
    assert client.unfinished() == ["under-way"]
    assert client.history("failed") == PAGES["failed"].page().history
    assert client.lines("failed", "publisher") == behind.lines("failed")
    assert client.page("failed") == behind.page("failed")


def test_it_starts_with_a_key_of_its_own(client: Client, behind: Kitchen) -> None:
    assert client.start(ASKED).waits_for == ("publisher v1",)
    client.start(ASKED)
    (_, asked, key), (_, _, other) = behind.asked
    assert asked == ASKED
    assert len(key) == 32
    assert key != other
    assert not client.start(ASKED, "k1").repeated
    assert client.start(ASKED, "k1").repeated


def test_it_stops_and_redrives(client: Client, behind: Kitchen) -> None:
    client.stop("under-way")
    client.redrive("failed", "choreographed")
    client.redrive("failed")
    redriven = [asked for asked in behind.asked if asked[0] == "redrive"]
    assert redriven == [("redrive", "failed", "choreographed"), ("redrive", "failed", None)]


def test_refusals_are_the_errors_they_were(client: Client) -> None:
    with pytest.raises(NoSuchRun, match="there is no run 'none': `brigade runs` lists them"):
        client.history("none")
    with pytest.raises(HasEnded, match="run failed has FAILED already"):
        client.stop("failed")
    with pytest.raises(BadRequest, match="unknown pipeline 'supper'"):
        client.start(ASKED.model_copy(update={"pipeline": "supper"}))
    with pytest.raises(BadRequest, match=r"query\.limit: Input should be less than or equal to 1000"):
        client.runs(1001)
    for run_id in ("a/b", "..", "%00", "\N{SNOWMAN}", "a?b", "#"):
        with pytest.raises(BadRequest):
            client.history(run_id)


def test_a_wrong_token_says_what_to_set(url: str) -> None:
    for token, problem in ((None, "missing"), ("not-the-token-it-should-be", "wrong")):
        with pytest.raises(BadRequest, match=f"the token is {problem}: .*set BRIGADE_TOKEN"):
            Client(url, token).runs(1)


def test_a_service_that_fails_may_do_better_in_a_moment(client: Client, behind: Kitchen) -> None:
    behind.raising = TransientError("the endpoint does not answer")
    with pytest.raises(TransientError, match="the endpoint does not answer"):
        client.start(ASKED, "k9")


class Stranger(BaseHTTPRequestHandler):
    """A server that is no service. It notes what it was sent."""

    seen: ClassVar[list[str | None]] = []
    elsewhere: ClassVar[str] = ""

    def do_GET(self) -> None:
        Stranger.seen.append(self.headers["Authorization"])
        self.send_response(302 if Stranger.elsewhere else 200)
        if Stranger.elsewhere:
            self.send_header("Location", Stranger.elsewhere)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"<p>Hi</p>")

    def log_message(self, *words: object) -> None:
        """Nobody reads them."""


@contextmanager
def stranger() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_token_is_not_carried_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with stranger() as one, stranger() as other:
        Stranger.seen.clear()
        monkeypatch.setattr(Stranger, "elsewhere", f"{other}/runs")
        with pytest.raises(BadRequest, match=f"{one} answered 302 and not as `brigade serve` does: check --url"):
            Client(one, TOKEN).runs(1)
        assert Stranger.seen == [f"Bearer {TOKEN}"]


def test_what_is_no_service_is_said_so() -> None:
    with stranger() as one, pytest.raises(BadRequest, match="answered 200 and not as `brigade serve` does"):
        Client(one, TOKEN).runs(1)


def test_nobody_there() -> None:
    with pytest.raises(TransientError, match=r"no answer from http://127.0.0.1:1: .*is `brigade serve` running there"):
        Client("http://127.0.0.1:1", None).runs(1)


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://host", "http://", "file:///etc/passwd", "http://h?q", "", "http://[::1"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(BadRequest, match="is no service's URL: write http://HOST:PORT"):
        Client(url, None)


def test_a_url_with_a_password_is_not_repeated() -> None:
    with pytest.raises(BadRequest, match="set BRIGADE_TOKEN") as refused:
        Client("http://me:hunter2@host", None)
    assert "hunter2" not in str(refused.value)
