"""Every component's policy as a table for people, in Markdown."""

from collections.abc import Iterator

from contracts.component import Component, Limit, Policy
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components

_HEAD = """# Policies

What each component may do and how often, from its declaration in `contracts/`. One value there becomes all of these:

| where | what |
|---|---|
| the worker | the timeout of an attempt, the leases of message (visibility timeout) and step, the tries of I/O (tenacity) |
| orchestrated | `TimeoutSeconds`, `HeartbeatSeconds`, `Retry` and, with a fallback, `Catch` of the state machine |
| choreographed | the visibility timeout of a message given back, and the dead-letter queue after the last attempt |

Seconds. *Attempts* are counted for each group of errors by itself; then the component's fallback runs if it has one, and is
tried as often; else the run fails. An error that is in no group is not tried again. *Wait* is the longest before the second
attempt, how it grows, and where it ends; with *jitter* each wait is drawn evenly between zero and that.

"""


def policies(pipelines: tuple[Pipeline, ...]) -> str:
    """One row a component, in the order of the pipelines."""
    columns = (
        "component",
        "squad",
        "timeout",
        "heartbeat",
        "lease",
        "attempts and waits",
        "I/O tries",
        "after the last",
    )
    rows = [columns, ("---",) * len(columns), *_rows(pipelines)]
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _rows(pipelines: tuple[Pipeline, ...]) -> Iterator[tuple[str, ...]]:
    for component in all_components(pipelines):
        yield _row(component, component.policy)
        for nested in component.nested:
            policy = component.policy_of(nested.version)
            yield _row(component, policy, f"{component.name} {nested.version}, a run of {nested.pipeline}")


def _row(component: Component, policy: Policy, name: str = "") -> tuple[str, ...]:
    return (
        name or component.name,
        component.squad,
        str(policy.timeout),
        str(policy.heartbeat),
        str(policy.lease),
        "<br/>".join(_limit(limit) for limit in policy.limits),
        f"{policy.io_attempts}, at most {policy.io_longest_wait:g} apart",
        "its fallback" if component.fallback else "the run fails",
    )


def _limit(limit: Limit) -> str:
    longest = max(limit.first_delay, limit.max_delay)
    grows = f", times {limit.backoff_rate:g}, up to {longest}" if limit.backoff_rate > 1 else ""
    jitter = ", jitter" if limit.jitter else ""
    return f"{', '.join(limit.errors)}: {limit.attempts}, wait {limit.first_delay}{grows}{jitter}"
