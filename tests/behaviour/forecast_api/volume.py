"""The handlers of the order-volume pipeline, one after the other as a run would have them, against a service that trains."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

import boto3
import numpy as np
import pyarrow as pa
from aiobotocore.session import get_session
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from contracts.amazon_forecast import CALLBACK, POLLING, Budget, Waiting
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.dataset_group import CreateDatasetGroup, DatasetGroupCreated
from contracts.errors import ResourcePending
from contracts.offers_import import ImportOffers, OffersImported
from contracts.orders_import import ImportOrders, OrdersImported
from contracts.predictor import PredictorTrained, TrainPredictor
from contracts.volume_export import ExportVolume, OrderVolumePublished
from contracts.volume_forecast import ForecastFactoryVolume
from services.dataset_group import handler as dataset_group
from services.dataset_group import handler_callback as dataset_group_callback
from services.offers_import import handler as offers_import
from services.orders_import import handler as orders_import
from services.predictor import handler as predictor
from services.runtime.claim_check import Bridge, S3Files
from services.runtime.context import Context
from services.runtime.forecasting import AmazonForecast, Connection
from services.volume_export import handler as volume_export
from services.volume_forecast import handler as volume_forecast
from tests.behaviour.forecast_api.conftest import ROLE
from tests.behaviour.forecast_api.shop import PATIENCE
from tests.support.plans import HISTORY, LAST_WEEK, WEEK, home, plan_of

T = TypeVar("T")

BUCKET = "order-volume"
OFTEN = Budget(interval=1, looks=PATIENCE)


@contextmanager
def files_in_s3() -> Iterator[S3Files]:
    """As a worker has them: a client on a loop, for handlers on another thread."""
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    bridge = Bridge(loop)
    client = get_session().create_client("s3")

    async def close() -> None:
        await client.__aexit__(None, None, None)

    try:
        yield S3Files(bridge.wait_for(client.__aenter__()), BUCKET, bridge)
    finally:
        bridge.wait_for(close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Run:
    """One run's steps. `looks` counts the attempts of each component, `beats` its heartbeats."""

    run_id: str
    files: S3Files
    connection: Connection
    weeks: int = 60
    looks: dict[str, int] = field(default_factory=dict)
    beats: dict[str, int] = field(default_factory=dict)
    between: Callable[[str], None] = lambda component: None

    def context(self, component: str, item: str = "-") -> Context:
        log: Any = logging.LoggerAdapter(logging.getLogger(component), {})

        def beat() -> None:
            self.beats[component] = self.beats.get(component, 0) + 1
            self.between(component)

        nothing: Any = None
        return Context(
            run_id=self.run_id,
            component=component,
            item=item,
            version="-",
            attempt=1,
            log=log,
            files=self.files,
            connect=nothing,
            find_earlier=nothing,
            beat=beat,
            forecasting=AmazonForecast(self.connection, ROLE, beat, log, OFTEN),
        )

    def step(self, handle: Callable[[Any, Context], T], inputs: Any, component: str, item: str = "-") -> T:
        """Until it does not raise ResourcePending any more."""

        def attempt() -> T:
            self.looks[component] = self.looks.get(component, 0) + 1
            return handle(inputs, self.context(component, item))

        again = retry_if_exception_type(ResourcePending)
        return Retrying(retry=again, wait=wait_fixed(0.2), stop=stop_after_delay(PATIENCE), reraise=True)(attempt)

    def inputs(self) -> tuple[RunPlanned, tuple[HistoryExtracted, ...]]:
        """A plan, and a history in two batches."""
        ctx = self.context("data-extractor")
        histories = [ctx.write(f"history-{region}", history(region, self.weeks)) for region in ("west", "east")]
        plan = plan_of(self.context("configurator"))
        offers = ctx.write("offers", coming(tuple(week.starts for week in plan.weeks)))
        return plan.model_copy(update={"offers": offers}), tuple(HistoryExtracted(history=each) for each in histories)

    def group(self, plan: RunPlanned, waiting: Waiting = POLLING) -> DatasetGroupCreated:
        handle = {POLLING: dataset_group.handle, CALLBACK: dataset_group_callback.handle}[waiting]
        return self.step(handle, CreateDatasetGroup(plan=plan), "dataset-group")

    def imports(
        self, plan: RunPlanned, group: DatasetGroupCreated, extracted: Any
    ) -> tuple[OrdersImported, OffersImported]:
        orders = ImportOrders(plan=plan, group=group, history=extracted)
        offers = ImportOffers(plan=plan, group=group, history=extracted)
        return (
            self.step(orders_import.handle, orders, "orders-import"),
            self.step(offers_import.handle, offers, "offers-import"),
        )

    def trained(self, plan: RunPlanned, group: DatasetGroupCreated, extracted: Any) -> PredictorTrained:
        orders, offers = self.imports(plan, group, extracted)
        inputs = TrainPredictor(plan=plan, group=group, orders=orders, offers=offers)
        return self.step(predictor.handle, inputs, "predictor")

    def published(self, waiting: Waiting = POLLING) -> OrderVolumePublished:
        """All of it."""
        plan, extracted = self.inputs()
        group = self.group(plan, waiting)
        trained = self.trained(plan, group, extracted)
        forecasts = tuple(
            self.step(
                volume_forecast.handle,
                ForecastFactoryVolume(plan=plan, factory=factory, group=group, predictor=trained),
                "volume-forecast",
                factory.key,
            )
            for factory in plan.factories
        )
        return self.step(
            volume_export.handle, ExportVolume(plan=plan, group=group, forecasts=forecasts), "volume-export"
        )

    def volume(self, published: OrderVolumePublished) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.files.read(published.volume).to_pylist()
        return rows


def history(region: str, weeks: int) -> pa.Table:
    """Orders that a low price makes more of."""
    rng = np.random.default_rng([ord(region[0]), weeks])
    rows = []
    for back in range(weeks):
        for recipe in ("pie", "ramen"):
            price = float(round(rng.uniform(8, 12), 2))
            orders = round(900 * (10 / price) ** 2 * float(np.exp(0.05 * rng.standard_normal())))
            week, promoted = LAST_WEEK - back * WEEK, bool(rng.integers(2))
            row = {"week": week, "centre": f"{region}-1", "region": region, "factory": home(region), "recipe": recipe}
            rows.append({**row, "orders": float(orders), "price": price, "base_price": 10.0, "emailer": promoted})
    return pa.Table.from_pylist(rows, schema=HISTORY)


def coming(weeks: tuple[date, ...]) -> pa.Table:
    rows = [
        {"week": week, "recipe": recipe, "price": 9.5, "emailer": 0.5} for week in weeks for recipe in ("pie", "ramen")
    ]
    numbers = [(name, pa.float64()) for name in ("price", "base_price", "emailer", "homepage")]
    return pa.Table.from_pylist(rows, schema=pa.schema([("week", pa.date32()), ("recipe", pa.string()), *numbers]))


def day(number: int) -> date:
    return LAST_WEEK + timedelta(weeks=number)
