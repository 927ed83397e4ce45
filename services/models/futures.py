"""A forecast as the futures it thinks possible, and any quantile of them."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """`futures` holds boxes, in the shape (steps that were asked for, possible futures).

    `method` is the candidate's name, the kind of a series that is not modelled, or "fallback"; `problem` then says why.
    """

    futures: Floats
    method: str
    problem: str = ""

    @cached_property
    def mean(self) -> Floats:
        found: Floats = self.futures.mean(axis=1)
        return found

    @cached_property
    def p10(self) -> Floats:
        return self.quantile(0.1)

    @cached_property
    def p50(self) -> Floats:
        return self.quantile(0.5)

    @cached_property
    def p90(self) -> Floats:
        return self.quantile(0.9)

    def quantile(self, level: float) -> Floats:
        """The boxes that are not exceeded with the probability `level`, which lies between 0 and 1.

        Above the median it is the quantile ceil((n + 1) * level) / n of n futures, below it its mirror image: that of n values
        seen covers one more with the probability meant (conformal prediction: Vovk, Gammerman and Shafer 2005), the plain one
        with less.
        """
        found: Floats = np.quantile(self.futures, self._plain(level), axis=1)
        return found

    def _plain(self, level: float) -> float:
        if level == 0.5:
            return level
        count = self.futures.shape[1]
        upper: float = min(math.ceil((count + 1) * max(level, 1 - level)) / count, 1.0)
        return upper if level > 0.5 else 1 - upper
