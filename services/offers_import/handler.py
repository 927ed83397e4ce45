"""What recipes cost and where they were promoted, up to the plan's last week."""

import csv
import io
from collections.abc import Sequence

from contracts.offers_import import ImportOffers, OffersImported
from services.offers_import.offers import Week, weekly_offers
from services.runtime.context import Context
from services.runtime.resources import RELATED, Dataset, DatasetImport, resource_name

KEYS = {"item_id": "string", "timestamp": "timestamp"}


def handle(inputs: ImportOffers, ctx: Context) -> OffersImported:
    """Raises ResourcePending until they are imported."""
    plan, waiting = inputs.plan, inputs.group.waiting
    coming = ctx.read(plan.offers) if plan.offers else None
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    offers = weekly_offers(histories, plan.history.last_week, coming, max(week.starts for week in plan.weeks))
    if not offers:
        ctx.log.info("the history has no prices: orders are forecast from orders alone")
        return OffersImported()
    name = resource_name("offers", ctx.run_id)
    features = {feature: "float" for feature in ("price", "promoted") if getattr(offers[0], feature) is not None}
    (dataset,) = ctx.forecasting.ready([Dataset(name, RELATED, KEYS | features)], waiting)

    def file() -> str:
        return ctx.write_file("offers.csv", _csv(offers, list(features)), "text/csv; charset=utf-8")

    ctx.forecasting.ready([DatasetImport(name, dataset, file)], waiting)
    return OffersImported(dataset_arn=dataset)


def _csv(offers: Sequence[Week], features: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for each in offers:
        writer.writerow([each.region, each.week.isoformat(), *(getattr(each, feature) for feature in features)])
    return text.getvalue().encode()
