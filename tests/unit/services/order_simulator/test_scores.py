import numpy as np
import pytest

from services.order_simulator.scores import (
    EVERYWHERE,
    THIS_REGION,
    THIS_WEEK,
    Place,
    independent_scores,
    shared_scores,
)


def scores(region: str, week: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of 40 seeds, one after the other."""
    places = [Place(seed, week, region) for seed in range(40)]
    return np.concatenate([shared_scores(place, place.generator()) for place in places])


def test_shared_scores_are_standard_normal_and_correlated_as_stated() -> None:
    here = scores("east", "w1")
    assert (here.mean(), here.std()) == pytest.approx((0, 1), abs=0.02)
    assert np.quantile(here, [0.1, 0.9]) == pytest.approx([-1.2816, 1.2816], abs=0.03)
    for region, week, share in (
        ("west", "w1", EVERYWHERE + THIS_WEEK),
        ("east", "w2", EVERYWHERE + THIS_REGION),
        ("west", "w2", EVERYWHERE),
    ):
        assert np.corrcoef(here, scores(region, week))[0, 1] == pytest.approx(share, abs=0.02)


def test_a_repeat_draws_the_same_and_another_seed_does_not() -> None:
    place = Place(1, "w1", "east")
    assert shared_scores(place, place.generator()).tolist() == shared_scores(place, place.generator()).tolist()
    other = Place(2, "w1", "east")
    assert shared_scores(place, place.generator()).tolist() != shared_scores(other, other.generator()).tolist()


def test_independent_scores_share_nothing() -> None:
    east, west = (
        independent_scores(place, place.generator()) for place in (Place(1, "w", "east"), Place(1, "w", "west"))
    )
    assert abs(np.corrcoef(east, west)[0, 1]) < 0.15
