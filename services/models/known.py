"""Effects of what is known ahead, as strongly as a backtest inside the history says that they help."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from services.models.candidates import recent_mean
from services.models.effects import Explained, Integers, changes_of, effects_of, nothing_known
from services.models.forecast import origins, without_closures
from services.models.futures import Floats
from services.models.kinds import ENOUGH_TO_CHOOSE

STRENGTHS = (None, float("inf"), 52.0, 26.0, 13.0)
"""No effects; what all series say; then with more and more weight on what each says itself. In the order of preference when
two miss by the same."""


@dataclass(frozen=True)
class Known:
    """One series: its boxes, the number of each of its weeks in the count of all series, and its features, which have a row
    for each of these weeks and for each week ahead."""

    boxes: Floats
    weeks: Integers
    features: Floats


def explained_by(known: Sequence[Known], strength: float | None) -> list[Explained]:
    """One for each series, in the same order."""
    if strength is None:
        return [nothing_known] * len(known)
    changes = [changes_of(each.boxes, each.weeks, each.features) for each in known]

    @cache
    def effects(before: int) -> list[Floats]:
        return effects_of(changes, before, strength)

    def of(place: int) -> Explained:
        weeks, features = known[place].weeks, known[place].features

        def explained(origin: int, horizon: int) -> Floats:
            before = int(weeks[origin - 1]) + 1
            shown = features[: origin + horizon]
            found: Floats = (shown - shown[:origin].mean(axis=0)) @ effects(before)[place]
            return found

        return explained

    return [of(place) for place in range(len(known))]


def choose_strength(known: Sequence[Known], horizon: int) -> float | None:
    """The one that lets the mean of the last weeks miss by the fewest boxes: a model that knows nothing else."""

    def missed(strength: float | None) -> float:
        explained = explained_by(known, strength)
        return sum(_missed(each.boxes, horizon, effect) for each, effect in zip(known, explained, strict=True))

    return min(STRENGTHS, key=missed)


def _missed(boxes: Floats, horizon: int, explained: Explained) -> float:
    found = 0.0
    for origin in origins(len(boxes), horizon, ENOUGH_TO_CHOOSE):
        actual = boxes[origin : origin + horizon]
        effect = explained(origin, len(actual))
        logs = recent_mean(without_closures(boxes[:origin], effect[:origin]), len(actual)) + effect[origin:]
        found += float(np.abs(actual - np.maximum(np.expm1(logs), 0)).sum())
    return found
