from datetime import date

import pyarrow as pa
import pytest

from services.publisher.history import weekly_orders
from services.publisher.totals import Total, totals_of

W1, W2 = date(2026, 11, 7), date(2026, 11, 14)


def batch(*rows: tuple[date, str, float]) -> pa.Table:
    return pa.Table.from_pylist([{"week": week, "factory": f, "orders": o, "centre": "c"} for week, f, o in rows])


def test_orders_are_summed_per_factory_and_week_over_all_batches() -> None:
    batches = [batch((W2, "B", 1.0), (W1, "A", 2.0), (W1, "A", 3.0)), batch((W1, "A", 10.0), (W2, "A", 0.5))]
    found = weekly_orders(batches)
    assert found == {"A": {W1: 15.0, W2: 0.5}, "B": {W2: 1.0}}
    assert list(found["A"]) == [W1, W2]


def test_without_batches_there_is_no_history() -> None:
    assert weekly_orders([]) == {}


def test_totals_are_sorted_and_rounded_as_the_rows_are() -> None:
    rows = [Total(W2, "A", "orders", 1 / 3, 0.1, 0.2, 0.3), Total(W1, "B", "orders", 4.0, 1.0, 2.0, 3.0)]
    table = pa.Table.from_pylist([row._asdict() for row in rows])
    assert totals_of([table.slice(0, 1), table.slice(1)]) == [rows[1], rows[0]._replace(mean=0.333333)]
    assert totals_of([]) == []
    assert rows[0].mean == pytest.approx(0.333333, abs=1e-6)
