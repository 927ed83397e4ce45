from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ContractViolation
from services.runtime.canonical import SCHEMA, Row, csv_bytes, rows_of, table_of

ROW = Row(date(2026, 11, 28), "A", "recipe", 'Pie, "the" best', "orders", 12.5, -1e-9, 12.0000004, 1e6)

numbers = st.floats(-1e9, 1e9)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=8)
rows = st.builds(
    Row,
    st.integers(0, 3).map(lambda n: date(2026, 11, 28) + timedelta(weeks=n)),
    texts,
    st.sampled_from(["recipe", "ingredient"]),
    texts,
    texts,
    numbers,
    numbers,
    numbers,
    numbers,
)


def test_the_csv_has_a_header_six_decimals_and_plain_line_ends() -> None:
    assert csv_bytes(rows_of([table_of([ROW])])).decode() == (
        "week,factory,kind,name,unit,mean,p10,p50,p90\n"
        '2026-11-28,A,recipe,"Pie, ""the"" best",orders,12.500000,0.000000,12.000000,1000000.000000\n'
    )


@settings(deadline=None)
@given(st.lists(rows, max_size=20, unique_by=lambda row: row.key), st.data())
def test_the_bytes_do_not_depend_on_how_the_forecast_came_together(content: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(content))
    cut = data.draw(st.integers(0, len(content)))
    parts = [table_of(shuffled[:cut]), table_of(shuffled[cut:])]
    assert csv_bytes(rows_of(parts)) == csv_bytes(rows_of([table_of(content)]))


@settings(deadline=None)
@given(st.lists(rows, max_size=20, unique_by=lambda row: row.key))
def test_what_was_made_canonical_stays_as_it_is(content: list[Row]) -> None:
    canonical = rows_of([table_of(content)])
    assert rows_of([table_of(canonical)]) == canonical
    assert canonical == sorted(canonical, key=lambda row: row.key)


def test_columns_may_come_in_any_order_and_with_others() -> None:
    table = table_of([ROW]).select(SCHEMA.names[::-1]).append_column("draws", pa.array([500]))
    assert rows_of([table]) == rows_of([table_of([ROW])])


def test_two_forecasts_for_the_same_need_are_refused() -> None:
    with pytest.raises(ContractViolation, match=r"two forecasts for recipe Pie.* of factory A in week 2026-11-28"):
        rows_of([table_of([ROW]), table_of([ROW._replace(mean=1.0)])])


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ContractViolation, match="not finite for recipe Pie"):
        rows_of([table_of([ROW._replace(p90=number)])])
