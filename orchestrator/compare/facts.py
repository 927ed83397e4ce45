"""Public figures of AWS, read from `aws.toml`: prices, latencies, quotas, each with its date and source."""

import tomllib
from datetime import date
from importlib.resources import files

from pydantic import Field

from contracts.message import Frozen


class Price(Frozen):
    """`dollars` for `per` of what it names."""

    name: str
    what: str
    dollars: float = Field(gt=0)
    per: int = Field(ge=1)
    source: str


class Prices(Frozen):
    region: str
    as_of: date
    currency: str
    items: tuple[Price, ...]

    def of(self, name: str, count: float) -> float:
        """Dollars for so many. Raises StopIteration for a name that has no price."""
        price = next(price for price in self.items if price.name == name)
        return count * price.dollars / price.per


class Quantiles(Frozen):
    """Milliseconds."""

    p50: float
    p90: float
    p99: float


class Latencies(Frozen):
    region: str
    as_of: date
    source: str
    sqs: Quantiles
    sns: Quantiles
    states: Quantiles


class Quota(Frozen):
    """A token bucket: `bucket` calls at once, `refill` more a second."""

    bucket: int = Field(ge=1)
    refill: int = Field(ge=1)


class Quotas(Frozen):
    region: str
    as_of: date
    source: str
    start_execution: Quota = Field(alias="start-execution")
    state_transition: Quota = Field(alias="state-transition")
    send_task_success: Quota = Field(alias="send-task-success")
    sns_publish: Quota = Field(alias="sns-publish")


class AwsFacts(Frozen):
    prices: Prices
    latencies: Latencies
    quotas: Quotas


def aws_facts() -> AwsFacts:
    text = files(__package__).joinpath("aws.toml").read_text(encoding="utf-8")
    return AwsFacts.model_validate(tomllib.loads(text))
