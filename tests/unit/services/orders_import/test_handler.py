from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.amazon_forecast import CALLBACK
from contracts.dataset_group import DatasetGroupCreated
from contracts.errors import BadData
from contracts.orders_import import ImportOrders
from services.orders_import.handler import handle
from services.runtime.resources import TARGET, Dataset, DatasetImport
from services.runtime.testing import AtOnce, local_context
from tests.support.plans import LAST_WEEK, WEEK, Order, extracted, plan_of

GROUP = DatasetGroupCreated(dataset_group_arn="arn:group", waiting=CALLBACK)


def imported(folder: Path, *batches: list[Order]) -> tuple[str, AtOnce]:
    """The file, and what was asked for."""
    forecasting = AtOnce()
    ctx = local_context(folder, "orders-import", forecasting=forecasting)
    answer = handle(ImportOrders(plan=plan_of(ctx), group=GROUP, history=extracted(ctx, *batches)), ctx)
    (dataset, waiting), (job, _) = forecasting.wanted
    assert waiting == CALLBACK
    assert answer.dataset_arn == forecasting.arn(dataset)
    assert isinstance(job, DatasetImport)
    assert job.dataset == answer.dataset_arn
    return Path(job.file().removeprefix("file://")).read_text(encoding="utf-8"), forecasting


def test_boxes_by_region_and_saturday(tmp_path: Path) -> None:
    """Orders are three a box; a week without a row is one without a box."""
    text, forecasting = imported(tmp_path, [(0, "west", "pie", 30), (2, "east", "pie", 9), (2, "east", "ramen", 6)])
    assert text.splitlines() == [
        "east,2026-10-31,5.0",
        "east,2026-11-07,0.0",
        "east,2026-11-14,0.0",
        "west,2026-11-14,10.0",
    ]
    (dataset, _), _ = forecasting.wanted
    assert isinstance(dataset, Dataset)
    assert dataset.kind == TARGET
    assert list(dataset.columns) == ["item_id", "timestamp", "demand"]


def test_no_orders_are_bad_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no orders"):
        imported(tmp_path, [])


@settings(deadline=None, max_examples=25)  # each writes files
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.sampled_from(["east", "west"]), st.sampled_from(["pie", "ramen"]), st.floats(0, 1e6)
        ),
        min_size=1,
    )
)
def test_every_order_is_in_it_and_no_week_is_missing(
    tmp_path_factory: pytest.TempPathFactory, orders: list[Order]
) -> None:
    text, _ = imported(tmp_path_factory.mktemp("orders"), orders)
    rows = [line.split(",") for line in text.splitlines()]
    assert sum(float(boxes) for _, _, boxes in rows) == pytest.approx(sum(order[3] for order in orders) / 3)
    for region in {order[1] for order in orders}:
        first = max(back for back, of, _, _ in orders if of == region)
        assert [week for of, week, _ in rows if of == region] == [
            (LAST_WEEK - back * WEEK).isoformat() for back in range(first, -1, -1)
        ]
