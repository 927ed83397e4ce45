"""What is compared: a pipeline, the functions of its components, and the data they need.

A module of the user's own names one as SUBJECT, as examples/two_stations.py does, and `brigade compare --subject` names the
module; the workers find it there, too, each for itself.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts.component import AMAZON_FORECAST, Component
from contracts.errors import BadRequest
from contracts.message import Event
from contracts.pipeline import Choice, Flow, Map, Parallel, Pipeline, Sequence
from contracts.pipelines import workers
from services.runtime.context import Context
from services.runtime.handlers import Handler, find_fallback, find_handler

Handle = Callable[[Any, Context], Event]

LEASE = 3
"""Seconds. Time is scaled: who is down for minutes of a schedule is down for seconds here, and a lease of half a minute would
outlast it."""


def _nothing(database_url: str) -> None:
    """No data is needed."""


@dataclass(frozen=True)
class Subject:
    """Runs plan from `days` days, one after the other, so that an earlier run's result is not by chance the right one.

    A component without an entry in `handlers` has services/<component>/handler.py, and so for `fallbacks`. `prepare` loads what
    they read, given the database's URL.
    """

    pipeline: Pipeline
    handlers: Mapping[str, Handle] = field(default_factory=dict)
    fallbacks: Mapping[str, Handle] = field(default_factory=dict)
    prepare: Callable[[str], None] = _nothing
    first_day: date = date(2026, 1, 6)
    days: int = 28

    def day(self, number: int) -> date:
        return self.first_day + timedelta(days=number % self.days)

    @property
    def calls_amazon_forecast(self) -> bool:
        return any(AMAZON_FORECAST in component.uses for component in self.pipeline.components)

    @property
    def workers(self) -> tuple[tuple[Component, str], ...]:
        """Components and versions that there is a worker for: a version that is a run of another pipeline has none."""
        return workers((self.pipeline,))

    def component(self, name: str) -> Component:
        return next(component for component in self.pipeline.components if component.name == name)

    def handler(self, component: Component, version: str) -> Handler:
        return self.handlers.get(component.name) or find_handler(component, version)

    def fallback(self, component: Component) -> Handler | None:
        return self.fallbacks.get(component.name) or find_fallback(component)


def load(module: str) -> Subject:
    """The module's subject, its leases as short as they are measured with.

    Raises BadRequest when there is no such module, or no SUBJECT in it.
    """
    try:
        found = getattr(importlib.import_module(module), "SUBJECT", None)
    except ModuleNotFoundError as error:
        raise BadRequest(f"no module {error.name} is found from here: name it as `python -m` would") from error
    if not isinstance(found, Subject):
        raise BadRequest(f"{module} has no SUBJECT: let it be a chaos.compare.subject.Subject of your pipeline")
    return replace(found, pipeline=with_leases(found.pipeline, LEASE))


def with_leases(pipeline: Pipeline, lease: int) -> Pipeline:
    """The same pipeline; no component holds a message longer than this without renewing."""
    made = {
        c.name: c.model_copy(update={"policy": c.policy.model_copy(update={"lease": min(lease, c.policy.lease)})})
        for c in pipeline.components
    }
    flow = _with(pipeline.flow, made)
    assert isinstance(flow, Sequence)
    return replace(pipeline, flow=flow)


def _with(flow: Flow, made: Mapping[str, Component]) -> Flow:
    if isinstance(flow, Component):
        return made[flow.name]
    if isinstance(flow, Sequence):
        return Sequence(tuple(_with(step, made) for step in flow.steps))
    if isinstance(flow, Parallel):
        return Parallel(tuple(_with(branch, made) for branch in flow.branches))
    if isinstance(flow, Map):
        return _map_with(flow, made)
    cases = {value: _map_with(case, made) for value, case in flow.cases.items()}
    return Choice(on=flow.on, cases=cases, otherwise=_map_with(flow.otherwise, made))


def _map_with(flow: Map, made: Mapping[str, Component]) -> Map:
    return replace(flow, steps=tuple(made[component.name] for component in flow.steps))
