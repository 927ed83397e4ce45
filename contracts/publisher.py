"""publisher: publish once, atomically, to downstream systems and planners."""

from datetime import date

from contracts.component import Component
from contracts.configurator import RunPlanned
from contracts.message import Command, Event
from contracts.site_forecast import SiteForecasted


class PublishForecast(Command):
    plan: RunPlanned
    forecasts: tuple[SiteForecasted, ...]


class ForecastPublished(Event):
    """The forecast is the current one: rows in `published_forecasts`, files in the bucket.

    `sha256` is of the canonical content, the CSV file at `csv_uri`: no run ids and no times in it, so two runs that forecast
    the same publish the same hash. `uri` is the same table as Parquet.
    """

    date: date
    sha256: str
    rows: int
    uri: str
    csv_uri: str


PUBLISHER = Component(
    name="publisher",
    squad="front-of-house",
    input=PublishForecast,
    output=ForecastPublished,
    announced=True,
)
