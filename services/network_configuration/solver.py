"""The transport problem, given to HiGHS so that the same problem has the same answer."""

from collections.abc import Sequence

import highspy
import numpy as np
import numpy.typing as npt
from highspy._core import _Highs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def transport_problem(cost: Floats, able: Bools, boxes: Sequence[float], caps: Sequence[float]) -> _Highs:
    """Minimise the cost of boxes of lots at factories, under the factories' caps, where they are able to.

    `cost` and `able` have the shape (factories, lots); the problem's columns are theirs, factory by factory. Its rows are
    the lots' boxes, then the factories' caps.
    """
    count, width = cost.shape
    column = np.arange(count * width, dtype=np.int32).reshape(count, width)
    problem = _empty()
    for price, may in zip(cost.ravel().tolist(), able.ravel().tolist(), strict=True):
        problem.addCol(price, 0.0, highspy.kHighsInf if may else 0.0, 0, [], [])
    for lot, amount in enumerate(boxes):
        problem.addRow(amount, amount, count, column[:, lot], np.ones(count))
    for factory, cap in enumerate(caps):
        problem.addRow(-highspy.kHighsInf, cap, width, column[factory], np.ones(width))
    return problem


def _empty() -> _Highs:
    """One thread, a fixed seed."""
    # The base class, because the constructor of `Highs` writes a banner to the standard output, where log lines go.
    problem = _Highs()
    problem.setOptionValue("output_flag", False)
    problem.setOptionValue("threads", 1)
    problem.setOptionValue("random_seed", 0)
    problem.setOptionValue("solver", "simplex")
    return problem
