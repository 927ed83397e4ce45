import numpy as np
import pytest

from services.models.effects import changes_of, effects_of
from services.models.forecast import forecast_trained, train
from services.models.futures import Floats
from services.models.known import STRENGTHS, Known, choose_strength, explained_by

HORIZON = 4


def sold(effect: float, seed: int, weeks: int = 80) -> Known:
    """Orders that follow a price that changes every week, with a little noise; the price ahead is known."""
    rng = np.random.default_rng(seed)
    price = rng.uniform(4, 6, (weeks + HORIZON, 1))
    boxes = np.exp(6 + effect * price[:weeks, 0] + 0.02 * rng.standard_normal(weeks)) - 1
    return Known(boxes, np.arange(weeks), price)


def mean_effect(known: list[Known], strength: float, before: int = 80) -> list[float]:
    changes = [changes_of(each.boxes, each.weeks, each.features) for each in known]
    return [float(each[0]) for each in effects_of(changes, before, strength)]


def test_the_effect_that_made_the_orders_is_found() -> None:
    assert mean_effect([sold(-0.8, 1), sold(-0.8, 2)], float("inf")) == pytest.approx([-0.8, -0.8], abs=0.01)


def test_a_series_of_its_own_mind_is_between_itself_and_all_the_more_it_is_heard() -> None:
    known = [sold(-0.2, 1), *(sold(-1.0, seed) for seed in range(2, 9))]
    own = [mean_effect(known, strength)[0] for strength in (float("inf"), 52.0, 13.0, 1.0)]
    assert own == sorted(own)
    assert own[0] == pytest.approx(-0.9, abs=0.05)
    assert own[-1] == pytest.approx(-0.2, abs=0.05)


def test_what_never_changes_has_no_effect() -> None:
    constant = [Known(each.boxes, each.weeks, np.full_like(each.features, 5.0)) for each in (sold(-0.8, 1),)]
    assert mean_effect(constant, 13.0) == pytest.approx([0.0])


def test_what_follows_a_week_is_not_heard_before_it() -> None:
    one, other = sold(-0.8, 1), sold(-0.8, 2)
    changed = Known(np.concatenate([other.boxes[:60], other.boxes[60:] * 3]), other.weeks, other.features)
    assert mean_effect([one, other], 13.0, before=60) == mean_effect([one, changed], 13.0, before=60)
    assert mean_effect([one, other], 13.0) != mean_effect([one, changed], 13.0)


def test_effects_are_taken_where_a_backtest_says_that_they_help_and_only_there() -> None:
    assert choose_strength([sold(-0.8, 1), sold(-0.8, 2)], HORIZON) is not None
    rng = np.random.default_rng(3)
    noise = [Known(rng.uniform(90, 110, 80), np.arange(80), rng.uniform(4, 6, (84, 1))) for _ in range(3)]
    assert choose_strength(noise, HORIZON) is None


def test_a_forecast_follows_the_price_ahead() -> None:
    known = [sold(-0.8, 1), sold(-0.8, 2)]
    explained = explained_by(known, 13.0)
    boxes = [each.boxes for each in known]
    found = forecast_trained(
        train(boxes, HORIZON, explained=explained), boxes, range(1, HORIZON + 1), explained=explained
    )
    for each, one in zip(known, found, strict=True):
        meant: Floats = np.exp(6 - 0.8 * each.features[80:, 0]) - 1
        assert one.p50 == pytest.approx(meant, rel=0.05)


def test_a_series_that_is_known_in_few_weeks_is_explained_too() -> None:
    at = np.array([3, 20, 21, 50])
    full = sold(-0.8, 1)
    few = Known(full.boxes[at], at, np.concatenate([full.features[at], full.features[80:]]))
    for strength in STRENGTHS:
        explained = explained_by([full, few], strength)[1]
        assert explained(1, 3).shape == (4,)
        assert np.isfinite(explained(4, HORIZON)).all()
