"""What is known of the weeks ahead, as prices and promotions, and how much of log1p(boxes) it explains.

Effects are estimated from changes: how much more or less a series sold from one known week to the next, by what else
changed. So neither its level nor a slow trend is taken for an effect. A series has too few changes to speak for itself
alone: its effects are shrunk towards those of all series, by ridge regression around the pooled estimate (Hoerl and Kennard
1970). How strongly is chosen by a backtest (`known.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.models.futures import Floats

Integers = npt.NDArray[np.int64]

Explained = Callable[[int, int], Floats]
"""(origin, horizon) to the part explained of the first `origin` + `horizon` weeks of a series, by effects that are
estimated from what is before the origin alone."""

RIDGE = 1e-6
"""Relative to all changes: what never changed gets the effect 0, and no division by zero."""


def nothing_known(origin: int, horizon: int) -> Floats:
    return np.zeros(origin + horizon)


@dataclass(frozen=True)
class Changes:
    """Of one series, from each week that it sold in to the next: the week it came in, and by how much log1p(boxes) and the
    features changed."""

    weeks: Integers
    logs: Floats
    features: Floats

    def normal(self, before: int) -> tuple[Floats, Floats, int]:
        """The normal equations of the changes before a week, and how many there are."""
        count = int(np.searchsorted(self.weeks, before))
        features, logs = self.features[:count], self.logs[:count]
        # einsum adds in one fixed order; a threaded matrix product might not.
        return np.einsum("nf,ng->fg", features, features), np.einsum("nf,n->f", features, logs), count


def changes_of(boxes: Floats, weeks: Integers, features: Floats) -> Changes:
    """`weeks` numbers the weeks of `boxes` as those of all series; `features` has a row for each, and for those ahead."""
    sold = np.flatnonzero(boxes > 0)
    return Changes(weeks[sold][1:], np.diff(np.log1p(boxes[sold])), np.diff(features[sold], axis=0))


def effects_of(changes: Sequence[Changes], before: int, strength: float) -> list[Floats]:
    """Each series' effects, by what all of them did before a week.

    `strength` is how many weeks of a series' own changes weigh as much as what all series say.
    """
    own = [each.normal(before) for each in changes]
    total: Floats = np.sum([a for a, _, _ in own], axis=0)
    right: Floats = np.sum([b for _, b, _ in own], axis=0)
    count = max(1, sum(n for _, _, n in own))
    floor = RIDGE * max(float(np.trace(total)), RIDGE) * np.eye(len(right))
    pooled = _solved(total + floor, right)
    if np.isinf(strength):
        return [pooled] * len(own)
    prior = strength * (total + floor) / count
    return [_solved(a + prior, b + prior @ pooled) for a, b, _ in own]


def _solved(matrix: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
