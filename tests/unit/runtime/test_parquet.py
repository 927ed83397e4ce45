"""Numbers that are the same everywhere: nine significant digits."""

import math

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.parquet import rounded

numbers = st.floats(min_value=-1e12, max_value=1e12, allow_subnormal=False)


def one(value: float | None) -> float | None:
    table = rounded(pa.table({"value": pa.array([value], pa.float64())}))
    found: float | None = table["value"].to_pylist()[0]
    return found


@given(numbers)
def test_a_rounded_number_is_near_and_stays_as_it_is(value: float) -> None:
    found = one(value)
    assert found is not None
    assert math.isclose(found, value, rel_tol=5e-9)
    assert one(found) == found


def test_a_difference_in_the_last_bit_is_gone() -> None:
    assert one(1234.5678) == one(math.nextafter(1234.5678, math.inf)) == 1234.5678


def test_what_is_no_number_stays() -> None:
    assert one(None) is None
    assert one(math.inf) == math.inf
    assert math.isnan(one(math.nan) or 0.0)


def test_other_columns_and_their_order_stay() -> None:
    table = pa.table({"recipe": ["stew"], "share": [0.12345678912], "boxes": [1234567891234]})
    assert rounded(table).to_pylist() == [{"recipe": "stew", "share": 0.123456789, "boxes": 1234567891234}]
    assert rounded(table).schema == table.schema
