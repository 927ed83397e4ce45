"""Pacts that a broker holds are verified as well, when the environment names one."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pact.types import Message

from contracts.order_simulator import ORDER_SIMULATOR
from tests.contracts.provider import BROKER, PactBroken, verify
from tests.contracts.reliance import PACTS, Json, as_json
from tests.contracts.site_forecast.test_relies import SIMULATED
from tests.contracts.states import NETWORKS_ARE_CONFIGURED

FOR_VERIFICATION = "/pacts/provider/order-simulator/for-verification"


def link(url: str) -> Json:
    return {"href": url, "name": "elsewhere"}


def answers(base: str) -> dict[str, Json]:
    """What a broker says that holds one pact, of a consumer that this project does not know."""
    pact = json.loads((PACTS / "site-forecast-order-simulator.json").read_text(encoding="utf-8"))
    held = {
        "shortDescription": "latest",
        "verificationProperties": {"notices": []},
        "_links": {"self": link(f"{base}/1")},
    }
    return {
        "/": {"_links": {"pb:provider-pacts-for-verification": link(base + FOR_VERIFICATION)}},
        FOR_VERIFICATION: {"_embedded": {"pacts": [held]}, "_links": {"self": link(base + FOR_VERIFICATION)}},
        "/1": pact | {"consumer": {"name": "elsewhere"}, "_links": {"self": link(f"{base}/1")}},
    }


class Broker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(answers(f"http://{self.headers['Host']}")[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/hal+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name is the protocol's


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Broker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(BROKER, f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


def message(**changed: object) -> Message:
    """One that fits site-forecast's pact."""
    body = as_json(SIMULATED.message) | changed
    columns = {"draw": "int32", "factory": "string", "recipe": "string", "orders": "double"}
    metadata = {f"column {name} of orders": kind for name, kind in columns.items()}
    return Message(contents=json.dumps(body).encode(), metadata=metadata, content_type="application/json")


@pytest.mark.usefixtures("broker")
def test_what_a_broker_holds_is_verified_as_well() -> None:
    verify(ORDER_SIMULATOR, {NETWORKS_ARE_CONFIGURED: message})
    with pytest.raises(PactBroken) as broken:
        verify(ORDER_SIMULATOR, {NETWORKS_ARE_CONFIGURED: lambda: message(draws="many")})
    told = sorted(str(broken.value).splitlines())
    assert [line.partition(" relies on in orders-simulated.v1: draws: ")[0] for line in told] == [
        f"dice (order-simulator) no longer gives what {who}"
        for who in ("a squad elsewhere (elsewhere)", "dice (site-forecast)")
    ]


def test_a_broker_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROKER, "http://127.0.0.1:1")
    with pytest.raises(PactBroken, match=r"127\.0\.0\.1:1"):
        verify(ORDER_SIMULATOR, {NETWORKS_ARE_CONFIGURED: message})
