"""What was ordered until now: a series of boxes for each region, the same that order-volume forecasts by itself."""

import csv
import io

from contracts.orders_import import ImportOrders, OrdersImported
from services.models.series import weekly_boxes
from services.models.volume import WEEK
from services.runtime.context import Context
from services.runtime.resources import TARGET, Dataset, DatasetImport, resource_name

COLUMNS = {"item_id": "string", "timestamp": "timestamp", "demand": "float"}


def handle(inputs: ImportOrders, ctx: Context) -> OrdersImported:
    """Raises BadData when the history holds no orders, ResourcePending until they are imported."""
    name, waiting = resource_name("orders", ctx.run_id), inputs.group.waiting
    (dataset,) = ctx.forecasting.ready([Dataset(name, TARGET, COLUMNS)], waiting)

    def file() -> str:
        return ctx.write_file("orders.csv", _csv(inputs, ctx), "text/csv; charset=utf-8")

    ctx.forecasting.ready([DatasetImport(name, dataset, file)], waiting)
    return OrdersImported(dataset_arn=dataset)


def _csv(inputs: ImportOrders, ctx: Context) -> bytes:
    """A row for each week from a region's first one to the last of the history."""
    last_week = inputs.plan.history.last_week
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for series in weekly_boxes(histories, last_week, inputs.plan.recipes_per_box):
        first = last_week - (len(series.boxes) - 1) * WEEK
        writer.writerows(
            (series.region, (first + n * WEEK).isoformat(), boxes) for n, boxes in enumerate(series.boxes.tolist())
        )
    return text.getvalue().encode()
