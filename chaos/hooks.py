"""What a fixture worker has around the runtime's own objects: the points at which a fault may wait."""

import inspect
import os
import signal
import threading
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import Any

from chaos.faults import Faults, Point
from contracts.envelope import StepKey
from contracts.errors import BadData, TransientError
from contracts.message import Event
from services.runtime.attempt import Attempt
from services.runtime.commit import Committed
from services.runtime.context import Context
from services.runtime.delivery import Delivery
from services.runtime.handlers import Handler
from services.runtime.incoming import parse
from services.runtime.leases import Held
from services.runtime.queue import Received
from services.runtime.settle import Delete, Outcome
from services.runtime.store import Claim

COMMITTED: ContextVar[StepKey | None] = ContextVar("committed", default=None)
"""The step whose answer this delivery has committed."""


@dataclass(frozen=True)
class Hooks:
    component: str
    faults: Faults

    def reach(self, point: Point, run: str, item: str = "") -> None:
        """Meet the fault that waits here, if one does. Raises what it says."""
        fault = self.faults.take(point, self.component, item, run)
        if fault is None:
            return
        if fault.deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.deed == "raise-transient":
            raise TransientError("a planted fault: something outside failed")
        if fault.deed == "raise-permanent":
            raise BadData("a planted fault: the data does not allow it")
        if fault.deed == "hang":
            threading.Event().wait()
        self.faults.pass_gate()

    def around(self, handler: Handler) -> Handler:
        """The handler, whose heartbeat is the point in its middle. A coroutine stays one."""

        def hooked(ctx: Context) -> Context:
            def beat() -> None:
                self.reach("handling", ctx.run_id, ctx.item)
                ctx.beat()

            return replace(ctx, beat=beat)

        def handle(inputs: Any, ctx: Context) -> Event:
            event: Event = handler(inputs, hooked(ctx))
            self.reach("handled", ctx.run_id, ctx.item)
            return event

        async def handle_async(inputs: Any, ctx: Context) -> Event:
            event: Event = await handler(inputs, hooked(ctx))
            self.reach("handled", ctx.run_id, ctx.item)
            return event

        return handle_async if inspect.iscoroutinefunction(handler) else handle


@dataclass(frozen=True)
class HookedAttempt(Attempt):
    hooks: Hooks

    async def run(self, *args: Any, **named: Any) -> Any:
        """With whatever the runtime hands over."""
        key = next(one for one in (*args, *named.values()) if isinstance(one, Claim)).key
        self.hooks.reach("claimed", key.run_id, key.item)
        found = await super().run(*args, **named)
        if isinstance(found, Committed):
            COMMITTED.set(key)
            self.hooks.reach("committed", key.run_id, key.item)
        return found


@dataclass(frozen=True)
class HookedDelivery(Delivery):
    hooks: Hooks

    async def decide(self, message: Received, held: Held) -> Outcome:
        self.hooks.reach("received", parse(message.body, self.component).key.run_id)
        outcome = await super().decide(message, held)
        key = COMMITTED.get()  # set in this message's own task
        if key is not None and isinstance(outcome, Delete):
            self.hooks.reach("answered", key.run_id, key.item)
        return outcome


def hook(delivery: Delivery, hooks: Hooks) -> HookedDelivery:
    """The same delivery, with points where faults may wait."""
    attempt = HookedAttempt(**_fields_of(delivery.attempt), hooks=hooks)
    return HookedDelivery(**_fields_of(replace(delivery, attempt=attempt)), hooks=hooks)


def _fields_of(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
