"""Arbitrary plans of the order-simulation pipeline, and what its components might answer."""

import hashlib
from datetime import date, timedelta
from functools import cache
from typing import Any, get_args

from hypothesis import strategies as st
from polyfactory.factories.pydantic_factory import ModelFactory

from contracts.configurator import CONFIGURATOR, Batch, Factory, History, MenuWeek, RunPlanned, Weekday
from contracts.message import DatasetRef, EarlierResult, Event
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.pipelines import component_named
from contracts.run import RunRequest

DAY = date(2026, 11, 25)
KEYS = st.from_regex(r"[A-Za-z0-9_.:-]{1,8}", fullmatch=True)


def reference(name: str) -> DatasetRef:
    return DatasetRef(
        uri=f"s3://bucket/{name}.parquet", rows=len(name), sha256=hashlib.sha256(name.encode()).hexdigest()
    )


def earlier(factory: str) -> EarlierResult:
    network = FactoryNetworkConfigured(factory=factory, network=reference(f"earlier/{factory}"))
    return EarlierResult(run_id="earlier", date=DAY - timedelta(days=1), output=network.model_dump(mode="json"))


@st.composite
def plans(draw: st.DrawFn) -> RunPlanned:
    """Any weekday, one to five weeks, factories and batches; any of the factories has an earlier result, or none has."""
    saturday = date(2026, 11, 28)
    keys = draw(st.lists(st.sampled_from("ABCDE") | KEYS, min_size=1, max_size=5, unique=True))
    with_last = draw(st.sets(st.sampled_from(keys)))
    return RunPlanned(
        date=DAY,
        weekday=draw(st.sampled_from(get_args(Weekday))),
        seed=draw(st.integers(0, 9)),
        history=History(first_week=saturday - timedelta(weeks=9), last_week=saturday - timedelta(weeks=2)),
        weeks=tuple(
            MenuWeek(key=f"{starts}", starts=starts, recipes=("soup",))
            for starts in (saturday + timedelta(weeks=n) for n in range(draw(st.integers(1, 5))))
        ),
        factories=tuple(
            Factory(key=key, weekly_cap=10, regions=(f"r{key}",), last=earlier(key) if key in with_last else None)
            for key in keys
        ),
        batches=tuple(Batch(key=f"b{n}", centres=("c",)) for n in range(draw(st.integers(1, 5)))),
        recipe_book=reference("recipes"),
        recipes_per_box=3,
        portions_per_order=2,
    )


REQUESTS = st.builds(
    RunRequest,
    run_id=st.just("r1"),
    pipeline=st.just("order-simulation"),
    date=st.just(DAY),
    seed=st.integers(0, 9),
    versions=st.sampled_from([("order-simulator=v1",), ("order-simulator=v2",)]),
)


def answer(component: str, item: str, plan: RunPlanned) -> dict[str, Any]:
    """An answer that only this step gives, as JSON."""
    event = plan if component == CONFIGURATOR.name else _made_up(component, item)
    return event.model_dump(mode="json")


@cache
def _made_up(component: str, item: str) -> Event:
    """From the type of the component's output, so that one added to the pipeline needs no example here."""
    output = component_named(component).output
    given: dict[str, Any] = {
        name: reference(f"{component}/{item}")
        for name, field in output.model_fields.items()
        if field.annotation is DatasetRef
    }
    if output is FactoryNetworkConfigured:
        given["factory"] = item
    seed = int.from_bytes(hashlib.sha256(f"{component}/{item}".encode()).digest()[:4])
    return ModelFactory.create_factory(output, __random_seed__=seed).build(degraded=(), **given)
