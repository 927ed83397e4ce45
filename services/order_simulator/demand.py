"""One region's demand as random draws: its volume, its shares, and the mean both must keep."""

import hashlib
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 500

_Z90 = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True)
class RegionDemand:
    """The forecast of one region and week: boxes, and the share of the orders each recipe takes (summing to 1).

    `spread` is the standard deviation of the logarithm of each share.
    """

    region: str
    factory: str
    mean: float
    p10: float
    p50: float
    p90: float
    recipes: tuple[str, ...]
    shares: Floats
    spread: float


def generator(seed: int, component: str, week: str, region: str) -> np.random.Generator:
    """Random numbers that depend on what is simulated only, so that a repeat and the other style draw the same."""
    digest = hashlib.sha256(f"{seed}/{component}/{week}/{region}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def volume_at(demand: RegionDemand, scores: Floats) -> Floats:
    """Boxes at each standard normal score, not below zero: with the forecast's P10, P50 and P90.

    Two halves of normal distributions joined at P50, each stretched to its side's decile. Each half holds half the
    probability, so all three quantiles are exact.
    """
    below, above = (demand.p50 - demand.p10) / _Z90, (demand.p90 - demand.p50) / _Z90
    return np.maximum(demand.p50 + scores * np.where(scores < 0, below, above), 0.0)


def draw_shares(demand: RegionDemand, rng: np.random.Generator) -> Floats:
    """Logistic-normal shares with the shape (draws, recipes) (Aitchison and Shen 1980).

    A recipe misses its share by a factor that does not depend on the share; a Dirichlet's small shares are mostly 0.
    """
    drawn = demand.shares * np.exp(demand.spread * rng.standard_normal((DRAWS, len(demand.shares))))
    shares: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return shares


def keep_mean(orders: Floats, expected: Floats) -> Floats:
    """Scale each recipe's draws, the shape is (draws, recipes), so that their mean is the expected orders.

    Draws are counts, and 500 of them miss their expectation by a random bit that hides small changes of the forecast.
    Scaled, the mean follows the forecast exactly (first-moment matching: Boyle, Broadie and Glasserman 1997, "Monte Carlo
    methods for security pricing"). A recipe that no draw ordered stands at its expectation in every draw.
    """
    mean = orders.mean(axis=0)
    scale = np.divide(expected, mean, out=np.zeros_like(mean), where=mean > 0)
    return np.where(mean > 0, orders * scale, expected)
