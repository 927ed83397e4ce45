import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.page.timeline import TICKS, tick_step
from orchestrator.page.words import clock, counted, moment, pretty, seconds

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


@given(values)
def test_pretty_json_is_json_of_the_same(value: object) -> None:
    assert json.loads(pretty(value)) == value


def test_short_lists_stay_on_one_line_and_deep_objects_do_not() -> None:
    text = pretty({"recipes": ["pie"] * 40, "deep": {"a": {"uri": "u" * 90, "rows": 1}}})
    assert text.splitlines()[0] == "{"
    assert text.splitlines()[1].startswith('  "recipes": ["pie", "pie",')
    assert text.splitlines()[2:] == [
        '  "deep": {',
        '    "a": {',
        f'      "uri": "{"u" * 90}",',
        '      "rows": 1',
        "    }",
        "  }",
        "}",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.004, "0.00 s"), (0.341, "0.34 s"), (12.04, "12.0 s"), (185, "3 min 5 s"), (7_500, "2 h 5 min")],
)
def test_durations(value: float, text: str) -> None:
    assert seconds(value) == text


def test_times_are_utc() -> None:
    when = datetime(2026, 11, 25, 10, 3, 4, 567_000, tzinfo=timezone(timedelta(hours=1)))
    assert clock(when) == "09:03:04.567"
    assert moment(when) == "2026-11-25 09:03:04 UTC"
    assert moment(when.astimezone(UTC)) == moment(when)


def test_things_are_counted() -> None:
    assert [counted(n, "step") for n in (0, 1, 1200)] == ["0 steps", "1 step", "1,200 steps"]


@given(st.floats(0.001, 1e6))
def test_a_timeline_has_a_few_round_marks(length: float) -> None:
    step = tick_step(length)
    assert length / step <= TICKS + 1e-9
    assert length / step > TICKS / 2.5 - 1e-9
    assert f"{step:.1e}"[0] in "125"
