"""What order-simulator relies on in the messages that it takes."""

from datetime import date

import pyarrow as pa

from contracts.configurator import CONFIGURATOR
from contracts.network_configuration import NETWORK_CONFIGURATION
from contracts.order_simulator import ORDER_SIMULATOR
from contracts.order_volume import ORDER_VOLUME
from contracts.recipe_popularity import RECIPE_POPULARITY
from services.order_simulator import handler, handler_v2
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, FORECASTS_ARE_MADE, HISTORY_IS_EXTRACTED

WEEK = date(2026, 11, 28)

REGIONS = ["north", "south"]
"""Both are B's, which cannot cook soup. The networks have boxes for north only, so another factory stands in for south."""

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "seed": 7,
        "recipes_per_box": 2.0,
        "weeks": [{"key": "2026-11-28", "starts": WEEK}],
        "factories": [{"key": "A"}],
        "cannot_cook": pa.table({"recipe": ["soup"], "factories": [["B"]]}),
    },
)

VOLUME = Reliance(
    ORDER_VOLUME,
    given=HISTORY_IS_EXTRACTED,
    message={
        "volume": pa.table(
            {
                "week": pa.array([WEEK, WEEK], pa.date32()),
                "region": REGIONS,
                "factory": ["B", "B"],
                "mean": [100.0, 50.0],
                "p10": [90.0, 40.0],
                "p50": [99.0, 49.0],
                "p90": [111.0, 61.0],
            }
        )
    },
)

POPULARITY = Reliance(
    RECIPE_POPULARITY,
    given=HISTORY_IS_EXTRACTED,
    message={
        "popularity": pa.table(
            {
                "week": pa.array([WEEK] * 6, pa.date32()),
                "region": [region for region in REGIONS for _ in range(3)],
                "recipe": ["curry", "pie", "soup"] * 2,
                "share": [0.3, 0.4, 0.3] * 2,
                "spread": [0.2] * 6,
            }
        )
    },
)


def network_of(factory: str, boxes: list[float], unable: list[list[str]]) -> dict[str, str | pa.Table]:
    columns = {
        "week": pa.array([WEEK] * len(boxes), pa.date32()),
        "region": ["north"] * len(boxes),
        "boxes": boxes,
        "unable": pa.array(unable, pa.list_(pa.string())),
    }
    return {"factory": factory, "network": pa.table(columns)}


NETWORKS = Reliance(
    NETWORK_CONFIGURATION,
    given=FORECASTS_ARE_MADE,
    message=network_of("A", [60.0, 30.0], [[], ["B"]]),
    others=(network_of("B", [10.0], [[]]),),
)


CONSUMER = Consumer(ORDER_SIMULATOR, (PLAN, VOLUME, POPULARITY, NETWORKS), (handler.handle, handler_v2.handle))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
