"""What a forecast of boxes looks like, by whatever it was made."""

from datetime import date, timedelta

import pyarrow as pa

from contracts.errors import BadData

WEEK = timedelta(days=7)

SCHEMA = pa.schema(
    [("week", pa.date32()), ("region", pa.string()), ("factory", pa.string())]
    + [(name, pa.float64()) for name in ("mean", "p10", "p50", "p90")]
    + [("method", pa.string())]
)
"""The columns of `OrderVolumeForecasted`."""


def steps_ahead(week: date, last_week: date) -> int:
    """Raises BadData when a plan's week does not come after the history."""
    if week <= last_week:
        raise BadData(
            f"the plan's week {week} is not after the history, which ends with {last_week}: plan a later date"
        )
    return (week - last_week) // WEEK
