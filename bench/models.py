"""order-volume's model on 1,000 weekly series of 145 weeks: seconds and peak memory, in one process."""

import resource
import time

import numpy as np

from bench.stacks import out, run_as_command
from services.models.forecast import forecast_all

SERIES, WEEKS, HORIZON = 1000, 145, 10

MOST_SECONDS = 120.0
MOST_GIGABYTES = 2.0


def measure() -> bool:
    """Seasonal, trending and noisy series, one in ten intermittent. The choice of the model is part of the time."""
    rng = np.random.default_rng(1)
    weeks = np.arange(WEEKS)
    series = []
    for number in range(SERIES):
        season = 0.2 * np.sin(2 * np.pi * (weeks + rng.uniform(0, 52)) / 52)
        level = (
            rng.uniform(2, 9)
            + rng.uniform(-0.004, 0.004) * weeks
            + season
            + rng.uniform(0.1, 0.6) * rng.standard_normal(WEEKS)
        )
        sold = rng.random(WEEKS) < 0.4 if number % 10 == 0 else np.ones(WEEKS)
        series.append(np.round(np.exp(level) * sold))
    started = time.perf_counter()
    found = forecast_all(series, range(1, HORIZON + 1))
    seconds = time.perf_counter() - started
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    methods = sorted({forecast.method for forecast in found})
    out.print(f"{SERIES:,} series of {WEEKS} weeks, {HORIZON} weeks ahead, by {', '.join(methods)}:")
    out.print(f"{seconds:.0f} s (at most {MOST_SECONDS:.0f}), peak {gigabytes:.2f} GB (at most {MOST_GIGABYTES:.0f})")
    return seconds <= MOST_SECONDS and gigabytes <= MOST_GIGABYTES


if __name__ == "__main__":
    run_as_command(measure)
