"""Who may ask. Before any route, so that nothing is served by oversight.

With a token, requests bring it as `Authorization: Bearer TOKEN`. A browser cannot: it may bring it as the password of HTTP
Basic, which it asks for by itself, and can only read then, so that no page of somebody else's can make it change anything.
Without a token the service is for this machine only, and refuses what pages from elsewhere make a browser send.
"""

import base64
import binascii
import hmac
import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.service.errors import ProblemResponse, problem

OPEN = ("/health",)
"""Served to everybody."""

READING = ("GET", "HEAD")

LONGEST_BODY = 64 * 1024
"""Bytes."""

HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"referrer-policy": b"same-origin",
    b"vary": b"accept",
    b"x-content-type-options": b"nosniff",
}


class Guard:
    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in HEADERS.items() if pair[0] not in given),
                ]
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> ProblemResponse | None:
        headers = Headers(scope=scope)
        return _too_long(headers) or (None if scope["path"] in OPEN else self._stranger(scope["method"], headers))

    def _stranger(self, method: str, headers: Headers) -> ProblemResponse | None:
        if self._token is None:
            return None if _from_here(headers) else _not_from_here()
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(credentials.strip(), self._token):
            return None
        if scheme.lower() == "basic" and _same(_password(credentials), self._token):
            if method in READING:
                return None
            return problem(HTTPStatus.FORBIDDEN, "Forbidden", "Basic may only read: bring the token as a Bearer token")
        wanted = 'Basic realm="brigade", charset="UTF-8"' if "text/html" in headers.get("accept", "") else "Bearer"
        wrong = "wrong" if scheme else "missing"
        detail = f"the token is {wrong}: bring it as `Authorization: Bearer TOKEN` (brigade: set BRIGADE_TOKEN)"
        return problem(HTTPStatus.UNAUTHORIZED, "Unauthorized", detail, {"WWW-Authenticate": wanted})


def _same(given: str, token: str) -> bool:
    """In a time that tells nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _too_long(headers: Headers) -> ProblemResponse | None:
    if "transfer-encoding" in headers:
        return problem(HTTPStatus.LENGTH_REQUIRED, "LengthRequired", "send the body whole, with its Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > LONGEST_BODY:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TooLarge", f"a body has at most {LONGEST_BODY} bytes")
    return None


def _from_here(headers: Headers) -> bool:
    """Whether a request names this machine: a page from elsewhere names itself, or the name it got our address under."""
    origin = headers.get("origin")
    named = [headers.get("host", ""), *([origin.partition("://")[2] or "-"] if origin else [])]
    return all(is_loopback(_host_of(name)) for name in named)


def _host_of(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _not_from_here() -> ProblemResponse:
    detail = (
        "without a token only this machine is served: start the service with BRIGADE_TOKEN set, and bring the token"
    )
    return problem(HTTPStatus.FORBIDDEN, "Forbidden", detail)


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
