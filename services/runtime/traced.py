"""Attempts with a span each. Imported only where a collector is named."""

from dataclasses import dataclass

from opentelemetry.trace import Span, get_current_span

from services.runtime.attempt import Attempt, Failed, classify
from services.runtime.commit import Committed
from services.runtime.context import Context
from services.runtime.incoming import CommandFor, Json, parse
from services.runtime.leases import Held
from services.runtime.queue import Received
from services.runtime.settle import Outcome
from services.runtime.stateless import StatelessDelivery
from services.runtime.store import Claim, Ended, Exhausted, Run, Superseded
from services.runtime.tracing import Traces, fail


@dataclass(frozen=True, kw_only=True)
class TracedAttempt(Attempt):
    traces: Traces

    async def run(
        self, run: Run, claim: Claim, data: Json, text: str, held: Held
    ) -> Committed | Failed | Superseded | Ended:
        if claim.attempt == 1 and claim.key.component == run.graph.planner.component:
            self.traces.run_started(run, claim.key.run_id)
        with self.traces.attempt(claim.key, claim.attempt, claim.mode, run.traceparent) as span:
            if claim.failure:
                span.add_event("fallback", {"brigade.failure": claim.failure})
            found = await super().run(run, claim, data, text, held)
            _tell(span, found)
        return found


def _tell(span: Span, found: Committed | Failed | Superseded | Ended) -> None:
    if isinstance(found, Failed):
        fail(span, found.error, found.cause)
        if isinstance(found.then, Exhausted) and found.then.run_seconds is not None:
            span.set_attribute("brigade.run.status", "FAILED")
    elif isinstance(found, Committed):
        if found.end:
            span.set_attribute("brigade.run.status", "DEGRADED" if found.end.degraded else "SUCCEEDED")
    else:
        fail(span, type(found).__name__, "its answer did not count")


@dataclass(frozen=True, kw_only=True)
class TracedStateless(StatelessDelivery):
    traces: Traces

    async def decide(self, message: Received, held: Held) -> Outcome:
        asked = parse(message.body, self.component)
        if not isinstance(asked, CommandFor):
            return await super().decide(message, held)
        with self.traces.attempt(asked.key, message.receives, asked.mode, asked.traceparent):
            return await super().decide(message, held)

    async def _on_failure(self, raised: Exception, context: Context, message: Received) -> Outcome:
        fail(get_current_span(), *classify(raised, self.component.policy))
        return await super()._on_failure(raised, context, message)
