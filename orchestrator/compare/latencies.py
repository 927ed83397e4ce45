"""Distributions that go through published quantiles: a lognormal moved along the axis has three parameters for three quantiles.

x = shift + exp(mu + sigma z), z standard normal: the three-parameter lognormal (J. Aitchison and J. Brown, "The Lognormal
Distribution", 1957). The ratio (p99 - p50) / (p90 - p50) depends on sigma alone and grows with it.
"""

import math
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from scipy.optimize import brentq

from contracts.errors import BadData
from orchestrator.compare.facts import Quantiles

Z90, Z99 = NormalDist().inv_cdf(0.90), NormalDist().inv_cdf(0.99)

SIGMAS = (1e-6, 5.0)


@dataclass(frozen=True)
class Shifted:
    """Seconds."""

    shift: float
    mu: float
    sigma: float

    def draw(self, random: Random) -> float:
        return self.shift + random.lognormvariate(self.mu, self.sigma)

    def quantile(self, share: float) -> float:
        return self.shift + math.exp(self.mu + self.sigma * NormalDist().inv_cdf(share))


def fit(published: Quantiles) -> Shifted:
    """Through all three, in seconds. Raises BadData where no such distribution has them: a tail shorter than the normal's."""
    p50, p90, p99 = (value / 1000 for value in (published.p50, published.p90, published.p99))
    if not 0 < p50 < p90 < p99:
        raise BadData(f"quantiles {published.p50}, {published.p90}, {published.p99} ms do not rise: look at aws.toml")
    ratio = (p99 - p50) / (p90 - p50)

    def off(sigma: float) -> float:
        return math.expm1(Z99 * sigma) / math.expm1(Z90 * sigma) - ratio

    if off(SIGMAS[0]) > 0 or off(SIGMAS[1]) < 0:
        raise BadData(f"no lognormal goes through {published.p50}, {published.p90}, {published.p99} ms: fit another")
    sigma = float(brentq(off, *SIGMAS))
    scale = (p90 - p50) / math.expm1(Z90 * sigma)
    return Shifted(shift=p50 - scale, mu=math.log(scale), sigma=sigma)
