"""How a series repeats itself. Apart from the models, whose library takes a second to import."""

from dataclasses import dataclass

SEASON = 52

YEAR = 365.25 / 7
"""Weeks."""


@dataclass(frozen=True)
class Season:
    """In the series' steps: the step that is like this one, the length of the wave, and the season that smoothing and theta
    are fitted with, where 1 is none."""

    lag: int
    wave: float
    fitted: int = 1


WEEKLY = Season(SEASON, YEAR)
