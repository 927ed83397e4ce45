"""Arbitrary plans of the order-simulation pipeline, and what its components might answer."""

import hashlib
from datetime import date, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned, Weekday
from contracts.data_extractor import HistoryExtracted
from contracts.message import DatasetRef, EarlierResult, Event
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.order_simulator import OrdersSimulated
from contracts.order_volume import OrderVolumeForecasted
from contracts.publisher import ForecastPublished
from contracts.recipe_popularity import RecipePopularityForecasted
from contracts.run import RunRequest
from contracts.site_forecast import SiteForecasted

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
    data = reference(f"{component}/{item}")
    events: dict[str, Event] = {
        "configurator": plan,
        "data-extractor": HistoryExtracted(history=data),
        "order-volume": OrderVolumeForecasted(volume=data),
        "recipe-popularity": RecipePopularityForecasted(popularity=data),
        "network-configuration": FactoryNetworkConfigured(factory=item, network=data),
        "order-simulator": OrdersSimulated(orders=data, draws=7),
        "site-forecast": SiteForecasted(forecast=data),
        "publisher": ForecastPublished(
            date=DAY, sha256=data.sha256, rows=1, uri=data.uri, csv_uri=data.uri, page_uri=data.uri
        ),
    }
    return events[component].model_dump(mode="json")
