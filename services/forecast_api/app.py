"""The application: one route that every operation comes to, and one that says that it is here."""

import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.forecast_api.creating import Asked
from services.forecast_api.errors import ApiError, InternalFailure, Malformed, Unserved
from services.forecast_api.jobs import Jobs
from services.forecast_api.operations import SERVED
from services.forecast_api.protocol import LONGEST_BODY, answer, caller_of, read_request, refusal
from services.forecast_api.shapes import Operation, find_operation
from services.forecast_api.store import Pool, transaction

log = logging.getLogger("brigade.forecast_api")


def create_app(pool: Pool, jobs: Jobs, hosts: Sequence[str] = ("*",)) -> Starlette:
    """`hosts` are the names that requests may call it by: a page from elsewhere uses the one it got our address under."""

    async def operation(request: Request) -> Response:
        if not request.headers.get("content-length", "").isdecimal():
            return refusal(Malformed("send the body whole, with its Content-Length"))
        if int(request.headers["content-length"][:20]) > LONGEST_BODY:
            return refusal(Malformed(f"a body has at most {LONGEST_BODY} bytes"))
        body = await request.body()
        target, authorization = (request.headers.get(name, "") for name in ("x-amz-target", "authorization"))
        return await run_in_threadpool(_served, pool, jobs, target, authorization, body)

    async def health(_: Request) -> Response:
        return (
            PlainTextResponse("ok\n") if jobs.well else PlainTextResponse("no more jobs are done: see the log\n", 503)
        )

    named = Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    return Starlette(middleware=[named], routes=[Route("/", operation, methods=["POST"]), Route("/health", health)])


def _served(pool: Pool, jobs: Jobs, target: str, authorization: str, body: bytes) -> Response:
    found: Operation | None = None
    try:
        found = find_operation(target)
        handler = SERVED.get(found.name)
        if handler is None:
            raise Unserved(f"{found.name} is not served here: docs/forecast-api.md lists the operations that are")
        request = read_request(body)
        found.check(request)
        with transaction(pool) as store:
            result = handler(Asked(store, caller_of(authorization), request))
        jobs.look()
        return answer(found.answer(result))
    except ApiError as error:
        log.info("%s: %s: %s", found.name if found else "-", error.code, error)
        return refusal(error, found)
    except Exception:
        log.exception("%s failed", found.name if found else "-")
        return refusal(InternalFailure("something went wrong in the service: its log says what"), found)
