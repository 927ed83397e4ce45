"""How far each draw's volume lies from the forecast, in standard normal scores: alone in v1, together in v2.

A forecast that is too low is too low in several regions and weeks at once. Each week is simulated in a step of its own, so
what weeks share is drawn from seeds they all know (common random numbers): draw 17 is the same future in every week and
region.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.order_simulator import ORDER_SIMULATOR
from services.order_simulator.demand import DRAWS, generator

Floats = npt.NDArray[np.float64]

EVERYWHERE, THIS_WEEK, THIS_REGION = 0.20, 0.25, 0.15
"""The part of a miss's variance that all weeks and regions share, that all regions of a week share, and that all weeks of a
region share: rounded means of what order-volume missed in backtests, see docs/accuracy.md."""

SHARED = "shared-volume"


@dataclass(frozen=True)
class Place:
    """What is simulated: a seed's week and region."""

    seed: int
    week: str
    region: str

    def generator(self) -> np.random.Generator:
        """The numbers of this place alone."""
        return generator(self.seed, ORDER_SIMULATOR.name, self.week, self.region)


def independent_scores(place: Place, rng: np.random.Generator) -> Floats:
    """Of this place alone; `rng` is its generator. One per draw."""
    return rng.standard_normal(DRAWS)


def shared_scores(place: Place, rng: np.random.Generator) -> Floats:
    """Standard normal, correlated with those of other places as the constants above say. One per draw."""
    own = 1.0 - EVERYWHERE - THIS_WEEK - THIS_REGION
    parts = (
        (EVERYWHERE, generator(place.seed, SHARED, "", "")),
        (THIS_WEEK, generator(place.seed, SHARED, place.week, "")),
        (THIS_REGION, generator(place.seed, SHARED, "", place.region)),
        (own, rng),
    )
    scores = np.zeros(DRAWS)
    for variance, numbers in parts:
        scores += np.sqrt(variance) * numbers.standard_normal(DRAWS)
    return scores
