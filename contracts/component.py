"""What a squad declares about its component: its messages, its limits, its versions."""

from typing import Literal

from pydantic import Field, model_validator

from contracts.errors import (
    BrigadeError,
    HandlerTimedOut,
    ResourcePending,
    TransientError,
    UnexpectedError,
    WorkerLost,
)
from contracts.message import Command, Event, Frozen
from contracts.versions import refuse_unlike

LOST_CALLBACKS = ("States.Timeout", "States.HeartbeatTimeout")
"""What Step Functions calls it when no answer comes in time: a worker was lost, or its answer was."""


class Limit(Frozen):
    """How often one class of errors is tried, and how long to wait in between.

    The wait before attempt n + 1 is at most `first_delay * backoff_rate ** (n - 1)` seconds and at most `max_delay`; with
    `jitter` it is drawn evenly from zero up to that ("full jitter": M. Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015). Attempts are counted per limit, as the retriers of the Amazon States Language do.
    """

    errors: tuple[str, ...]
    attempts: int = Field(ge=1)
    first_delay: int = Field(default=1, ge=1)
    backoff_rate: float = Field(default=2.0, ge=1)
    max_delay: int = Field(default=30, ge=1)
    jitter: bool = True

    def delay_after(self, failures: int) -> float:
        """Seconds to wait after so many failures, without jitter, at least one."""
        return min(self.first_delay * self.backoff_rate ** max(failures - 1, 0), float(self.max_delay))


def names(*errors: type[BrigadeError]) -> tuple[str, ...]:
    return tuple(error.__name__ for error in errors)


FAILURES = Limit(errors=names(TransientError, UnexpectedError, HandlerTimedOut, WorkerLost), attempts=3)
PENDING = Limit(errors=names(ResourcePending), attempts=100, backoff_rate=1.0, jitter=False)


class Policy(Frozen):
    """One value, rendered to the worker's behaviour, to ASL `Retry` and to visibility back-off.

    All of them as a table: orchestrator/rendered/policies.md.

    `timeout` bounds one attempt and `heartbeat` the silence of a worker, both in seconds. The heartbeat counts from the
    moment Step Functions enters the state, so time spent waiting in the queue consumes it. `lease` is the visibility
    timeout: under half the heartbeat, so that a killed worker is recovered by redelivery before Step Functions retries.

    `limits` count the attempts at a step. Inside one attempt `ctx.retrying()` tries I/O `io_attempts` times and waits at
    most `io_longest_wait` seconds in between.
    """

    timeout: int = Field(default=300, ge=1)
    heartbeat: int = Field(default=120, ge=3)
    lease: int = Field(default=30, ge=1)
    limits: tuple[Limit, ...] = (FAILURES, PENDING)
    io_attempts: int = Field(default=4, ge=1)
    io_longest_wait: float = Field(default=8.0, gt=0)

    @model_validator(mode="after")
    def _lease_under_half_the_heartbeat(self) -> "Policy":
        if self.lease * 2 >= self.heartbeat:
            raise ValueError(f"lease {self.lease} s must be under half the heartbeat {self.heartbeat} s")
        return self

    def limit_for(self, error: str) -> Limit | None:
        """The limit that counts this error, or None when it is not tried again."""
        return next((limit for limit in self.limits if error in limit.errors), None)

    @property
    def losses_in_company(self) -> int:
        """How many workers a step may lose while other steps run beside it: one fewer than it is given up after.

        So the last one, which tells who is to blame, was lost by the step alone.
        """
        limit = self.limit_for(WorkerLost.__name__)
        return max(limit.attempts - 1, 1) if limit else 1


class Capacity(Frozen):
    """What a worker of a component gets where workers are containers in a cluster, and how many of them there may be.

    `cpus` may be a fraction, `memory` is in MiB. With a backlog there are up to `most` workers, without one a single one, and
    none of the versions in `seldom`: the first message after a pause waits minutes for a worker then, so the policy's
    heartbeat must be `WAKE_SECONDS` or longer. An `interruptible` worker may be taken away within two minutes of being told.
    """

    cpus: float = Field(default=0.25, gt=0)
    memory: int = Field(default=1024, ge=512)
    most: int = Field(default=4, ge=1)
    seldom: tuple[str, ...] = ()
    interruptible: bool = True


WAKE_SECONDS = 1200
"""Until a queue that was asleep has a worker: CloudWatch may look at it up to 15 minutes late, and a container must start.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
"""


Service = Literal["amazon-forecast"]
AMAZON_FORECAST: Service = "amazon-forecast"
"""What a component may call besides what each has: Amazon Forecast's API, or `brigade forecast-api` in its place."""


class Nested(Frozen):
    """A version of a component that is a run of a whole pipeline: its handler makes its answer of that run's last one.

    `timeout` is how many seconds that run may take, whatever the component's other versions are given.
    """

    version: str
    pipeline: str
    timeout: int = Field(default=2 * 3600, ge=1)


class Component(Frozen):
    """A station of the brigade: what it takes, what it gives, and how far it may be pushed.

    While consumers move from one version of the output to the next, `output` is the oldest that is still given, and `also` are
    the newer ones: docs/contracts.md, "A break that must be".

    `concurrency` is how many handlers one worker runs at a time. `versions` beyond the first are chosen per run by a
    feature flag. `announced` events are published in both styles, for readers outside the pipeline. A `stateless`
    component keeps no steps: a repeated message runs its handler again. `capacity` is no part of a pipeline's routing.

    Its `nested` versions are runs of pipelines: docs/adr/0017-nested-runs.md.

    `expected` is how many seconds its steps of a run take, all together, on a day like any other: what its consumers leave it,
    and a buffer, when each runs on a clock of its own.

    With a `fallback` the run goes on without the component's own result: after the last attempt
    `services/<component>/fallback.py` is run as the same step, and what the run publishes is marked degraded.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    squad: str
    input: type[Command]
    output: type[Event]
    also: tuple[type[Event], ...] = ()
    policy: Policy = Policy()
    versions: tuple[str, ...] = ("v1",)
    concurrency: int = Field(default=1, ge=1)
    expected: int = Field(default=60, ge=1)
    announced: bool = False
    stateless: bool = False
    fallback: bool = False
    capacity: Capacity = Capacity()
    nested: tuple[Nested, ...] = ()
    uses: tuple[Service, ...] = ()

    @model_validator(mode="after")
    def _nested_versions_are_known(self) -> "Component":
        unknown = sorted({each.version for each in self.nested}.difference(self.versions))
        if unknown:
            raise ValueError(f"{self.name} has no version {', '.join(unknown)} to be a run of a pipeline")
        if self.nested and self.stateless:
            raise ValueError(f"{self.name} is stateless, so nothing remembers which run it started: give it steps")
        return self

    @model_validator(mode="after")
    def _seldom_workers_come_in_time(self) -> "Component":
        unknown = sorted(set(self.capacity.seldom).difference(self.versions))
        if unknown:
            raise ValueError(f"{self.name} has no version {', '.join(unknown)} to need seldom")
        if self.capacity.seldom and self.policy.heartbeat < WAKE_SECONDS:
            raise ValueError(
                f"{self.name} may have to wait {WAKE_SECONDS} s for a worker, longer than its heartbeat of "
                f"{self.policy.heartbeat} s: give it a longer one, or call no version of it seldom"
            )
        return self

    @model_validator(mode="after")
    def _fallback_has_a_step(self) -> "Component":
        if self.fallback and self.stateless:
            raise ValueError(f"{self.name} is stateless, so nothing remembers that it is to fall back: give it steps")
        return self

    @model_validator(mode="after")
    def _versions_of_one_message(self) -> "Component":
        refuse_unlike(self.name, self.gives)
        return self

    @property
    def gives(self) -> tuple[type[Event], ...]:
        """Every version of the output, the oldest first. The handler answers the last."""
        return (self.output, *self.also)

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    def nested_in(self, version: str) -> Nested | None:
        """What this version is a run of; None when it has a handler."""
        return next((each for each in self.nested if each.version == version), None)

    def policy_of(self, version: str) -> Policy:
        """A nested version may take as long as its run."""
        nested = self.nested_in(version)
        return self.policy.model_copy(update={"timeout": nested.timeout}) if nested else self.policy

    @property
    def flagged(self) -> bool:
        return len(self.versions) > 1
