"""Which factory cooks how much of a region's orders."""

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

Splits = Mapping[str, Mapping[str, float]]


def factory_splits(networks: Mapping[str, pa.Table], week: date, homes: Mapping[str, str]) -> Splits:
    """Each factory's share of each region, summing to 1 per region: its boxes over those of all factories.

    `networks` are by factory. One without rows for `week`, because it was made on another date, stands in with its latest
    earlier week, or with its first when all are later. `homes` maps every region to its factory, which cooks all of it
    when no network does.
    """
    boxes: dict[str, dict[str, float]] = {region: {} for region in homes}
    for factory, network in sorted(networks.items()):
        rows = network.select(["week", "region", "boxes"]).to_pylist()
        used = _week_to_use([row["week"] for row in rows], week)
        for row in rows:
            if row["week"] == used and row["region"] in boxes and row["boxes"] > 0:
                share = boxes[row["region"]]
                share[factory] = share.get(factory, 0.0) + row["boxes"]
    return {region: _normalised(share) if share else {homes[region]: 1.0} for region, share in boxes.items()}


def _week_to_use(weeks: Sequence[date], week: date) -> date | None:
    if not weeks:
        return None
    return max((each for each in weeks if each <= week), default=min(weeks))


def _normalised(share: Mapping[str, float]) -> dict[str, float]:
    total = sum(share.values())
    return {factory: boxes / total for factory, boxes in share.items()}
