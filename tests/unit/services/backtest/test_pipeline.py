from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.configurator import History
from contracts.errors import BadData, BadRequest
from services.backtest.baselines import SEASONAL
from services.backtest.cases import Cases, truth
from services.backtest.history import Loaded, Origin, origin, origin_weeks
from services.backtest.items import add_items
from services.backtest.metrics import scores
from services.backtest.pipeline import MEASURED, Bench
from services.backtest.shares import order_quantiles
from services.runtime.testing import local_context
from tests.support.plans import LAST_WEEK, WEEK, Order, history_table, plan_of

WEEKS = 40


def orders() -> list[Order]:
    rng = np.random.default_rng(5)
    return [
        (back, region, recipe, float(round(level * share * np.exp(0.1 * rng.standard_normal()))))
        for back in range(WEEKS)
        for region, level in (("east", 3000), ("west", 1200))
        for recipe, share in (("miso", 0.16), ("pie", 0.24), ("ramen", 0.22), ("stew", 0.18), ("tarte", 0.2))
    ]


def loaded(folder: Path, rows: list[Order]) -> Loaded:
    plan = plan_of(local_context(folder, "backtest"))
    history = History(first_week=LAST_WEEK - (WEEKS - 1) * WEEK, last_week=LAST_WEEK)
    return Loaded(plan.model_copy(update={"history": history}), history_table(rows))


def cut(folder: Path, known: int = 36, rows: list[Order] | None = None) -> Origin:
    return origin(loaded(folder, rows or orders()), known, 4, folder)


def test_origins_end_where_the_horizon_fits_and_lie_apart() -> None:
    assert origin_weeks(104, 5, 4, None) == [84, 88, 92, 96, 100]
    assert origin_weeks(10, 5, 3, None) == [3, 4, 5, 6, 7]
    assert origin_weeks(145, 5, 10, 135) == [135]


def test_a_history_too_short_for_the_origins_is_refused_with_advice() -> None:
    with pytest.raises(BadRequest, match="5 origins with a horizon of 6 need 11; choose fewer"):
        origin_weeks(10, 5, 6, None)
    with pytest.raises(BadRequest, match="choose one from 1 to 135"):
        origin_weeks(145, 5, 10, 136)
    with pytest.raises(BadRequest, match="too few for a horizon of 10"):
        origin_weeks(10, 5, 10, 5)


def test_an_origin_knows_nothing_of_what_comes(tmp_path: Path) -> None:
    found = cut(tmp_path)
    known = local_context(tmp_path, "any").read(found.known.history)
    assert max(known["week"].to_pylist()) == found.plan.history.last_week == LAST_WEEK - 4 * WEEK
    assert [week.starts for week in found.plan.weeks] == [LAST_WEEK - back * WEEK for back in (3, 2, 1, 0)]
    assert found.plan.weeks[0].recipes == ("miso", "pie", "ramen", "stew", "tarte")
    assert found.plan.date == LAST_WEEK - 4 * WEEK + timedelta(days=6)


def test_what_comes_changes_no_forecast(tmp_path: Path) -> None:
    """The last four weeks are known to the comparison only: ten times the orders there, and all components say the same."""

    def said(name: str, rows: list[Order]) -> list[Any]:
        here, cases = cut(tmp_path / name, rows=rows), Cases()
        add_items(cases, here, "recipe", 4)
        bench = Bench(here, tmp_path / name, {}, lambda step: None)
        read = local_context(tmp_path / name, "any").read
        tables = read(bench.volume().volume), read(bench.popularity().popularity)
        # All but the actual: quantiles, the scale of MASE, baselines.
        return [*(table.to_pylist() for table in tables), [row[1:] for row in cases.rows]]

    later = [(back, region, recipe, number * (10 if back < 4 else 1)) for back, region, recipe, number in orders()]
    assert said("as it came", orders()) == said("otherwise", later)


def test_an_origin_without_orders_after_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no orders before or after origin week 36"):
        cut(tmp_path, rows=[row for row in orders() if row[0] >= 4])


def test_the_truth_is_summed_by_key_and_cut_at_the_origin(tmp_path: Path) -> None:
    rows: list[Order] = [(4, "east", "pie", 5), (4, "west", "pie", 7), (0, "east", "pie", 11), (1, "west", "stew", 2)]
    found = truth(cut(tmp_path, rows=rows), ["recipe"])
    assert found.past(("pie",)).tolist()[-1] == 12
    assert found.actual(("pie",), LAST_WEEK) == 11
    assert found.actual(("pie",), LAST_WEEK - WEEK) == 0
    assert found.step(LAST_WEEK) == 4
    assert np.isnan(found.past(("none",))).all()


@pytest.mark.parametrize("simulator", ["v1", "v2"])
def test_the_pipeline_is_measured_at_every_component_and_better_than_naive(tmp_path: Path, simulator: str) -> None:
    cases: dict[str, Cases] = {}
    steps: list[str] = []
    for known in (28, 32, 36):
        Bench(cut(tmp_path, known), tmp_path / str(known), cases, steps.append).pipeline(simulator)
    assert list(cases) == list(MEASURED)
    assert f"order-simulator {LAST_WEEK}" in steps
    assert [len(found.rows) for found in cases.values()] == [3 * 8, 3 * 40, 3 * 40, 3 * 8]
    for found in cases.values():
        score = scores(found.compared())
        # The strongest naive forecast of what only varies around its mean; on 24 totals the last value is as good by luck.
        model, naive = score["model"]["wape"], score["last-4 mean"]["wape"]
        assert model is not None
        assert naive is not None
        assert model < min(naive, 0.12)
        assert 0.5 < (score["model"]["coverage"] or 0) <= 1


def test_items_are_compared_in_weeks_on_offer_only(tmp_path: Path) -> None:
    rows = [row for row in orders() if row[2] != "stew" or row[0] % 2]
    cases = Cases()
    methods = add_items(cases, cut(tmp_path, rows=rows), "recipe", 4)
    # A week off the menu is none of its history: stew is not an intermittent seller, but one with 18 weeks.
    assert sorted(methods) == ["combination"] * 4 + ["short"]
    assert len(cases.rows) == 4 * 4 + 2
    assert (scores(cases.compared())["model"]["wape"] or 1) < 0.15


def test_a_year_ago_is_counted_from_the_week_compared(tmp_path: Path) -> None:
    rows: list[Order] = [(back, "east", "pie", 1000.0 - back) for back in range(60)]
    long = loaded(tmp_path, rows)
    history = History(first_week=LAST_WEEK - 59 * WEEK, last_week=LAST_WEEK)
    long = replace(long, plan=long.plan.model_copy(update={"history": history}))
    cases = Cases()
    add_items(cases, origin(long, 56, 4, tmp_path), "recipe", 4)
    found = cases.compared()
    assert found.actual.tolist() == [997, 998, 999, 1000]
    assert found.baselines[SEASONAL].tolist() == [945, 946, 947, 948]


def test_coming_offers_are_known_unless_asked_otherwise(tmp_path: Path) -> None:
    assert cut(tmp_path).plan.offers is not None
    assert origin(loaded(tmp_path, orders()), 36, 4, tmp_path, offers_known=False).plan.offers is None


def test_an_item_that_is_new_after_the_origin_is_left_out(tmp_path: Path) -> None:
    cases = Cases()
    add_items(cases, cut(tmp_path, rows=[*orders(), (0, "east", "new", 50.0)]), "recipe", 4)
    assert len(cases.rows) == 5 * 4


def test_quantiles_of_orders_hold_spread_and_counting() -> None:
    rng = np.random.default_rng(1)
    many = order_quantiles(np.full(20, 1e6), 0.3, rng)[:, 0]
    assert many[2] / many[1] == pytest.approx(np.exp(0.3 * 1.2816), rel=0.05)
    counted = order_quantiles(np.array([100.0, 1e6]), 0.0, rng)[:, 0]
    assert counted == pytest.approx([87, 100, 113], abs=2)


def test_quantiles_of_orders_keep_the_mean_shares() -> None:
    """Brought to a sum of 1, the larger of two shares would be drawn too low on average."""
    rng = np.random.default_rng(1)
    (found, _) = order_quantiles(np.array([9e5, 1e5]), 1.0, rng)[1]
    drawn = 1 / (1 + np.exp(-np.log(9) - np.sqrt(2) * rng.standard_normal(100_000)))
    assert found == pytest.approx(9e5 * 0.9 / drawn.mean(), rel=0.01)
    assert found > 9.2e5


def test_a_week_in_which_a_region_ordered_nothing_is_no_case(tmp_path: Path) -> None:
    """There are no shares of nothing."""
    rows: list[Order] = [(back, r, p, 0 if (back, r) == (0, "west") else number) for back, r, p, number in orders()]
    cases: dict[str, Cases] = {}
    Bench(cut(tmp_path, rows=rows), tmp_path, cases, lambda step: None).popularity()
    (found,) = cases.values()
    assert len(found.rows) == 4 * 2 * 5 - 5


def test_weeks_are_numbered_from_the_first(tmp_path: Path) -> None:
    found = loaded(tmp_path, orders())
    assert found.weeks == WEEKS
    assert found.week(WEEKS) == LAST_WEEK
    assert found.week(1) == date(2026, 11, 14) - 39 * WEEK
