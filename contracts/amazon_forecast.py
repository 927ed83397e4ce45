"""How long the steps wait that have Amazon Forecast's API make something, and what the makings are called."""

from typing import Final, Literal, NamedTuple

from contracts.component import FAILURES, Limit, Policy, names
from contracts.errors import ResourcePending

Waiting = Literal["polling", "callback"]

POLLING: Final = "polling"
CALLBACK: Final = "callback"
"""The versions of dataset-group, which decides for a whole run how its steps wait: by attempts, or within one."""


class Budget(NamedTuple):
    """A step looks `looks` times more after the first, `interval` seconds apart."""

    interval: int
    looks: int

    def __str__(self) -> str:
        return f"{self.looks} looks {self.interval} s apart (BUDGET in contracts/amazon_forecast.py)"


LOCAL = Budget(interval=1, looks=100)
"""`brigade forecast-api` trains in seconds."""

AWS = Budget(interval=30, looks=300)
"""Amazon's own takes up to two hours. To use it, let BUDGET below be AWS, and deploy."""

BUDGET = LOCAL


def policy_of(budget: Budget) -> Policy:
    """Of a step that raises ResourcePending until what it had made is ACTIVE.

    `timeout` is of an attempt: longer than all looks together, since the callback variant looks within one.
    """
    pending = Limit(
        errors=names(ResourcePending),
        attempts=budget.looks + 1,
        first_delay=budget.interval,
        backoff_rate=1.0,
        max_delay=budget.interval,
        jitter=False,
    )
    return Policy(timeout=300 + budget.interval * budget.looks, limits=(FAILURES, pending))


POLICY = policy_of(BUDGET)
