"""The smallest pipeline that can be compared: one station plans how much to bake, the other bakes and says what came out.

    brigade compare two-stations --subject examples.two_stations --runs 4 --faults outage --out out/two

Nothing of it is known to Brigade: the contracts, the two functions and the SUBJECT are all here.
"""

import hashlib

from chaos.compare.subject import Subject
from contracts.component import Component
from contracts.message import Command, Event, Plan
from contracts.pipeline import Pipeline, Sequence
from contracts.run import RunRequest
from services.runtime.context import Context


class PlanBread(Command):
    request: RunRequest


class BreadPlanned(Plan):
    """Loaves to bake."""

    loaves: int


class BakeBread(Command):
    plan: BreadPlanned


class BreadBaked(Event):
    """`sha256` is of what came out of the oven."""

    loaves: int
    sha256: str


def plan_bread(inputs: PlanBread, ctx: Context) -> BreadPlanned:
    """More towards the end of the month, so that no day is like the one before."""
    return BreadPlanned(loaves=100 + inputs.request.date.toordinal() % 31)


def bake_bread(inputs: BakeBread, ctx: Context) -> BreadBaked:
    baked = "".join(f"loaf {number};" for number in range(inputs.plan.loaves))
    return BreadBaked(loaves=inputs.plan.loaves, sha256=hashlib.sha256(baked.encode()).hexdigest())


PLANNER = Component(name="bread-planner", squad="examples", input=PlanBread, output=BreadPlanned)
BAKER = Component(name="baker", squad="examples", input=BakeBread, output=BreadBaked, announced=True)

SUBJECT = Subject(
    pipeline=Pipeline(name="two-stations", flow=Sequence((PLANNER, BAKER))),
    handlers={PLANNER.name: plan_bread, BAKER.name: bake_bread},
)
