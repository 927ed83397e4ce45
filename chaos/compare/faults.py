"""What happens to which repetition: drawn from the seed alone, the same for every style."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from chaos.compare.site import Site
from chaos.faults import Deed, Fault, Point
from contracts.component import AMAZON_FORECAST, Component
from contracts.pipeline import Pipeline

Faults = Literal["none", "transient", "outage", "mixed"]
Kind = Literal[
    "nothing",
    "handler raises transiently",
    "kill -9 before the handler",
    "database down for a moment",
    "worker down longer than the buffer",
    "database down longer than the buffer",
    "Amazon Forecast down longer than the buffer",
    "handler raises permanently",
    "optional handler raises permanently",
]

KINDS: dict[Faults, tuple[Kind, ...]] = {
    "none": ("nothing",),
    "transient": get_args(Kind)[1:4],
    "outage": get_args(Kind)[4:7],
    "mixed": get_args(Kind),
}

IN_WORKERS: dict[Kind, tuple[Point, Deed]] = {
    "handler raises transiently": ("handled", "raise-transient"),
    "kill -9 before the handler": ("claimed", "kill"),
    "handler raises permanently": ("handled", "raise-permanent"),
    "optional handler raises permanently": ("handled", "raise-permanent"),
}

FORECAST_DOWN: Kind = "Amazon Forecast down longer than the buffer"
"""For all that call it; the component that is drawn says until when."""

MOMENT = 2.0
"""Seconds: short against any buffer."""

LONGER = (1.4, 1.9)
"""Of the buffer, beyond what the component is expected to take: its consumers' clocks strike meanwhile, and it comes late."""


@dataclass(frozen=True)
class Drawn:
    """A repetition's fault. `length` is of an outage, in buffers."""

    kind: Kind
    component: str | None = None
    length: float = 0.0


@dataclass(frozen=True)
class Due:
    """When a component is due in a run of one style, and how long it is expected to take: seconds since the run's start."""

    at: float
    expected: float
    buffer: float


@dataclass(frozen=True)
class Spell:
    """From when to when the surroundings are broken, in seconds since the run's start, and how."""

    begins: float
    ends: float
    begin: Callable[[], object]
    end: Callable[[], object]


def draw(random: Random, runs: int, faults: Faults, pipeline: Pipeline) -> list[Drawn]:
    """Each kind as often as any other, but for the remainder, in an order of its own."""
    kinds = [kind for kind in KINDS[faults] if kind == "nothing" or _hit_by(kind, pipeline)]
    drawn = [kinds[number % len(kinds)] for number in range(runs)]
    random.shuffle(drawn)
    return [_drawn(random, kind, pipeline) for kind in drawn]


def plant(site: Site, drawn: Drawn, run: str) -> Fault | None:
    """A fault of a step, which waits for the run whose id begins so. None for one of the surroundings."""
    if drawn.kind not in IN_WORKERS or drawn.component is None:
        return None
    point, deed = IN_WORKERS[drawn.kind]
    fault = Fault(point, deed, drawn.component, run=run)
    site.faults.plant(fault)
    return fault


def spell(site: Site, drawn: Drawn, due: Due) -> Spell | None:
    """An outage: from the run's start, or when the component is due, until it is over."""
    if drawn.component is None:
        return None
    over = due.at + due.expected + drawn.length * due.buffer
    line = site.lines[drawn.component]
    if drawn.kind == "worker down longer than the buffer":
        places = site.places_of(drawn.component)
        return Spell(0.0, over, lambda: _send_away(site, places), lambda: _bring_back(site, places))
    if drawn.kind == "database down longer than the buffer":
        return Spell(0.0, over, line.refuse, line.restore)
    if drawn.kind == FORECAST_DOWN and site.forecast:
        return Spell(0.0, over, site.forecast.refuse, site.forecast.restore)
    if drawn.kind == "database down for a moment":
        return Spell(due.at, due.at + MOMENT, lambda: _all(site, "refuse"), lambda: _all(site, "restore"))
    return None


def _drawn(random: Random, kind: Kind, pipeline: Pipeline) -> Drawn:
    """As many numbers are drawn for one kind as for another."""
    chance, length = random.random(), random.uniform(*LONGER)
    hit = _hit_by(kind, pipeline)
    return Drawn(kind, hit[int(chance * len(hit))].name if hit else None, length)


def _hit_by(kind: Kind, pipeline: Pipeline) -> tuple[Component, ...]:
    """An outage hits who has consumers: the last one is late in every style, and nobody reads what it left before."""
    if kind == "nothing":
        return ()
    if kind == "handler raises permanently":
        return tuple(component for component in pipeline.components if not component.fallback)
    if kind == "optional handler raises permanently":
        return tuple(component for component in pipeline.components if component.fallback)
    if kind in KINDS["outage"]:
        graph = pipeline.graph
        hit = tuple(component for component in pipeline.components if graph.consumers(component.name))
        return tuple(c for c in hit if AMAZON_FORECAST in c.uses) if kind == FORECAST_DOWN else hit
    return pipeline.components


def _send_away(site: Site, places: list[str]) -> None:
    site.workers.away.update(places)
    site.workers.kill(*places)


def _bring_back(site: Site, places: list[str]) -> None:
    """They are replaced with the next look."""
    site.workers.away.difference_update(places)


def _all(site: Site, what: Literal["refuse", "restore"]) -> None:
    for line in site.lines.values():
        getattr(line, what)()
