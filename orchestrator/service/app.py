"""The application: routes, guard, errors, and the chores it does beside them while it runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

from fastapi import FastAPI

from orchestrator.operations import LocalOperations
from orchestrator.service.chores import Chores
from orchestrator.service.errors import answer_errors
from orchestrator.service.guard import Guard
from orchestrator.service.routes import public, router

OpenOperations = Callable[[], AbstractContextManager[LocalOperations]]


def create_app(operations: OpenOperations, token: str | None, chores: Chores | None = None) -> FastAPI:
    """`operations` gives one request what it works with. Without a token, only this machine is served."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if chores is None:
            yield
        else:
            async with chores.going_on():
                yield

    app = FastAPI(
        title="Brigade",
        version="1",
        description="Start, list, follow, stop and redrive runs. Errors are application/problem+json.",
        openapi_url=None,  # served behind the guard, as everything else
        lifespan=lifespan,
    )
    app.state.operations = operations
    app.include_router(public)
    app.include_router(router)
    app.add_middleware(Guard, token=token)
    answer_errors(app)
    return app
