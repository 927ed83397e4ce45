"""What kind of series is it? Decides whether there is anything to model."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ENOUGH_TO_CHOOSE = 20
"""Weeks from which smoothing parameters can be estimated and models compared."""

RECENT = 26
"""Weeks that say how an intermittent series sells now."""

INTERMITTENT = 1.32
"""Weeks per week with boxes from which a series is intermittent (Syntetos, Boylan and Croston 2005)."""

SILENT = 4
"""A region without boxes for fewer weeks than this may only have been closed."""


class Kind(StrEnum):
    ENDED = "ended"
    INTERMITTENT = "intermittent"
    SHORT = "short"
    LONG = "long"


def kind_of(boxes: Floats) -> Kind:
    """`boxes` has at least one week, none negative.

    Ended: silent at the end for at least `SILENT` weeks and longer than ever before, or always. A series that never
    changes is as short as one that has just begun: it gives models nothing to estimate.
    """
    gaps = _silences(boxes)
    if gaps[-1] == len(boxes) or (gaps[-1] >= SILENT and gaps[-1] > max(gaps[:-1])):
        return Kind.ENDED
    recent = boxes[-RECENT:]
    if len(recent) >= INTERMITTENT * np.count_nonzero(recent):
        return Kind.INTERMITTENT
    return Kind.LONG if len(boxes) >= ENOUGH_TO_CHOOSE and np.ptp(boxes) > 0 else Kind.SHORT


def _silences(boxes: Floats) -> list[int]:
    """The lengths of the runs of zeros before, between and after the weeks with boxes."""
    sold = np.concatenate(([-1], np.flatnonzero(boxes > 0), [len(boxes)]))
    gaps: list[int] = (np.diff(sold) - 1).tolist()
    return gaps
