"""examples/amazon_forecast.py as a user runs it, on a shop of a test's own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from orchestrator.embedded.stack import Endpoints
from tests.behaviour.forecast_api.shop import Service, service

EXAMPLE = Path(__file__).parents[3] / "examples" / "amazon_forecast.py"
MEALS, WEEKS, HORIZON = 5, 60, 4


@pytest.fixture
def running(stack: Endpoints, tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path, stack) as made:
        yield made


def shop_that_follows_prices(path: Path) -> Path:
    rng = np.random.default_rng(1)
    lines = ["week,fid,totalprice,num_orders"]
    for meal in range(MEALS):
        for week in range(1, WEEKS + 1):
            if week > 1 and rng.random() < 0.1:
                continue  # not on offer
            price = rng.uniform(4, 8)
            orders = 5000 * (meal + 1) * price**-2 * np.exp(0.05 * rng.standard_normal())
            lines.append(f"{week},{meal},{price:.2f},{orders:.0f}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_known_prices_make_the_forecast_better(running: Service, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{running.port}"
    variables = {"AWS_ENDPOINT_URL_FORECAST": url, "AWS_ENDPOINT_URL_FORECASTQUERY": url}
    file = shop_that_follows_prices(tmp_path / "orders.csv")
    argv = [sys.executable, str(EXAMPLE), str(file), "--horizon", str(HORIZON)]
    done = subprocess.run(argv, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    scores = {
        name: float(wape)
        for name, wape in re.findall(r"^(\w+): WAPE ([\d.]+), coverage [\d.]+ of \d+", done.stdout, re.MULTILINE)
    }
    assert scores["with_prices"] < 0.5 * scores["without_prices"]
    assert re.search(r"^  P50 of one meal: (\d+, ){3}\d+$", done.stdout, re.MULTILINE)
