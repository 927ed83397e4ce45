"""Every factory's forecast, exported to files, as one table; published as the order-simulation's forecast is."""

import hashlib

from contracts.errors import ResourcePending
from contracts.volume_export import ExportVolume, OrderVolumePublished
from services.runtime.canonical import csv_bytes, rows_of, table_of
from services.runtime.context import Context
from services.runtime.publication import Files, publish_with_answer
from services.runtime.resources import Export, resource_name
from services.volume_export.exported import Exported, boxes, volume_of


def handle(inputs: ExportVolume, ctx: Context) -> OrderVolumePublished:
    """Raises ResourcePending until all is exported, BadData when a region lacks a week of the plan."""
    volume = volume_of(inputs.plan, _exported(inputs, ctx))
    rows = rows_of([boxes(volume)])
    body = csv_bytes(rows)
    files = Files(
        sha256=hashlib.sha256(body).hexdigest(),
        uri=ctx.write("forecast", table_of(rows)).uri,
        csv_uri=ctx.write_file("forecast.csv", body, "text/csv; charset=utf-8"),
    )
    publish_with_answer(ctx, inputs.plan.date, files, rows, inputs.replacements)
    ctx.log.info("publishes %d rows, sha256 %s", len(rows), files.sha256)
    return OrderVolumePublished(
        volume=ctx.write("volume", volume), date=inputs.plan.date, rows=len(rows), **files._asdict()
    )


def _exported(inputs: ExportVolume, ctx: Context) -> list[Exported]:
    exports = {
        factory.key: Export(
            resource_name("volume", ctx.run_id, factory.key), made.forecast_arn, ctx.folder(f"exported-{factory.key}")
        )
        for factory, made in zip(inputs.plan.factories, inputs.forecasts, strict=True)
        if made.forecast_arn
    }
    ctx.forecasting.ready(list(exports.values()), inputs.group.waiting)
    found = []
    for factory, export in exports.items():
        files = ctx.read_folder(export.folder)
        if not files:
            ctx.forecasting.delete(export)
            raise ResourcePending(f"the files of {export.label} are gone from {export.folder}: it is exported again")
        found.append(Exported(factory, files))
    return found
