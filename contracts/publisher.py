"""publisher: publish once, atomically, to downstream systems and planners."""

from datetime import date

from contracts.component import Component
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.message import Command, Event
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.site_forecast import SiteForecasted


class PublishForecast(Command):
    """`history` and `networks` are for the page only: what was ordered before, and which networks were reused."""

    plan: RunPlanned
    forecasts: tuple[SiteForecasted, ...]
    history: tuple[HistoryExtracted, ...]
    networks: tuple[FactoryNetworkConfigured, ...]


class ForecastPublished(Event):
    """The forecast is the current one: rows in `published_forecasts` and `published_totals`, files in the bucket.

    `sha256` is of the canonical content, the CSV file at `csv_uri`: no run ids and no times in it, so two runs that forecast
    the same publish the same hash. `uri` is the same table as Parquet. `page_uri` is an HTML page for planners, which names the
    run and compares with the publication before it.
    """

    date: date
    sha256: str
    rows: int
    uri: str
    csv_uri: str
    page_uri: str


PUBLISHER = Component(
    name="publisher",
    squad="front-of-house",
    input=PublishForecast,
    output=ForecastPublished,
    announced=True,
)
