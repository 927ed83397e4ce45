"""A small pipeline whose loaves move from version 1 (grams) to version 2 (kilograms), step by step.

A Map with a Choice that reuses, a fallback, and two consumers of the loaves beside each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import GenericAlias
from typing import Any

from pydantic import create_model

from contracts.component import Component, Policy
from contracts.message import Command, EarlierResult, Event, Item, Plan
from contracts.pipeline import Choice, Map, Parallel, Pipeline, Sequence
from contracts.run import RunRequest
from services.runtime.context import Context

Handle = Callable[[Any, Context], Event]

GRAMS = {"rye": 1250, "wheat": 800}


class Loaf(Item):
    pass


class PlanBake(Command):
    request: RunRequest


class BakePlanned(Plan):
    day: str
    loaves: tuple[Loaf, ...]


class BakeLoaf(Command):
    plan: BakePlanned
    loaf: Loaf


class LoafBaked(Event):
    key: str
    grams: int


class LoafBakedV2(Event):
    contract_version = 2

    key: str
    kilograms: float

    def as_v1(self) -> LoafBaked:
        return LoafBaked(key=self.key, grams=round(self.kilograms * 1000))


class LoavesWeighed(Event):
    grams: int


class LoavesLabelled(Event):
    labels: tuple[str, ...]


class SellLoaves(Command):
    weighed: LoavesWeighed
    labelled: LoavesLabelled


class LoavesSold(Event):
    grams: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What the code of a moment gives, and what each consumer takes."""

    gives: tuple[type[Event], ...]
    weigher: type[Event]
    labeller: type[Event]


BEFORE = Stage((LoafBaked,), LoafBaked, LoafBaked)
BOTH = Stage((LoafBaked, LoafBakedV2), LoafBaked, LoafBaked)
ONE_MOVED = Stage((LoafBaked, LoafBakedV2), LoafBaked, LoafBakedV2)
ALL_MOVED = Stage((LoafBaked, LoafBakedV2), LoafBakedV2, LoafBakedV2)
AFTER = Stage((LoafBakedV2,), LoafBakedV2, LoafBakedV2)
STAGES = (BEFORE, BOTH, ONE_MOVED, ALL_MOVED, AFTER)


def bakery(stage: Stage) -> Pipeline:
    baker = Component(
        name="baker",
        squad="tests",
        input=BakeLoaf,
        output=stage.gives[0],
        also=stage.gives[1:],
        policy=Policy(),
        fallback=True,
    )
    return Pipeline(
        name="bakery",
        deadline=600,
        flow=Sequence(
            (
                Component(name="planner", squad="tests", input=PlanBake, output=BakePlanned, policy=Policy()),
                Choice(
                    on="plan.day",
                    cases={"quiet": Map((baker,), over="plan.loaves", only=("rye",))},
                    otherwise=Map((baker,), over="plan.loaves"),
                ),
                Parallel(
                    (
                        _consumer("weigher", "WeighLoaves", stage.weigher, LoavesWeighed),
                        _consumer("labeller", "LabelLoaves", stage.labeller, LoavesLabelled),
                    )
                ),
                Component(
                    name="seller", squad="tests", input=SellLoaves, output=LoavesSold, policy=Policy(), announced=True
                ),
            )
        ),
    )


def _consumer(name: str, command: str, takes: type[Event], gives: type[Event]) -> Component:
    """A consumer that moves keeps its command's name: only the field is of another class."""
    many: Any = GenericAlias(tuple, (takes, ...))
    model = create_model(command, __base__=Command, loaves=(many, ...))
    return Component(name=name, squad="tests", input=model, output=gives, policy=Policy())


def handlers(stage: Stage, day: str = "busy") -> dict[str, Handle]:
    def plan(inputs: PlanBake, ctx: Context) -> Event:
        ever = datetime.min.replace(tzinfo=UTC)

        def last(key: str) -> EarlierResult | None:
            return ctx.earlier_result("baker", key, inputs.request.date, ever)

        return BakePlanned(day=day, loaves=tuple(Loaf(key=key, last=last(key)) for key in GRAMS))

    def bake(inputs: BakeLoaf, ctx: Context) -> Event:
        return _loaf(stage, inputs.loaf.key)

    return {
        "planner": plan,
        "baker": bake,
        "weigher": lambda inputs, ctx: LoavesWeighed(grams=sum(map(grams_of, inputs.loaves))),
        "labeller": lambda inputs, ctx: LoavesLabelled(
            labels=tuple(f"{x.key}: {grams_of(x)} g" for x in inputs.loaves)
        ),
        "seller": lambda inputs, ctx: LoavesSold(grams=inputs.weighed.grams, labels=inputs.labelled.labels),
    }


def fallbacks(stage: Stage) -> dict[str, Handle]:
    def yesterdays(inputs: BakeLoaf, ctx: Context) -> Event:
        """In the version that the handler answers."""
        assert inputs.loaf.last, f"no earlier {inputs.loaf.key}"
        loaf = stage.gives[-1].model_validate(inputs.loaf.last.output)
        return loaf.model_copy(update={"degraded": ctx.replaced("yesterday's")})

    return {"baker": yesterdays}


def grams_of(loaf: Event) -> int:
    """Whichever version a consumer takes, it sees this one alone."""
    if isinstance(loaf, LoafBaked):
        return loaf.grams
    assert isinstance(loaf, LoafBakedV2)
    return round(loaf.kilograms * 1000)


def _loaf(stage: Stage, key: str) -> Event:
    if stage.gives[-1] is LoafBaked:
        return LoafBaked(key=key, grams=GRAMS[key])
    return LoafBakedV2(key=key, kilograms=GRAMS[key] / 1000)
