"""The page's example of two versions, step by step, on a copy of the code: its changes apply, its outputs are what is said."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.errors import PipelineError
from contracts.message import DatasetRef, Event
from contracts.network_configuration import NETWORK_CONFIGURATION, ConfigureNetwork
from contracts.order_volume import ORDER_VOLUME
from contracts.pipeline import Map, Parallel, Pipeline, Sequence
from contracts.recipe_popularity import RECIPE_POPULARITY
from orchestrator import compose

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("\n## Worked example")[2].partition("\n## ")[0]
WHO = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
BLOCK = re.compile(r"^```(diff|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = [BLOCK.findall(part) for part in EXAMPLE.split("\n### ")[1:]]
"""One release each: changes, and what is typed between them, with what it prints."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages as they are, and the rendered pages, released in a repository of their own."""
    for package in ("contracts", "docs", "orchestrator", "services"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", compose.FILE, compose.EXAMPLE):
        shutil.copy(ROOT / file, tmp_path)
    git(tmp_path, "init", "--quiet")
    release(tmp_path, 0)
    return tmp_path


def git(folder: Path, *arguments: str, text: str = "") -> None:
    done = subprocess.run(
        ["git", *WHO, *arguments], cwd=folder, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def release(folder: Path, number: int) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "a step")
    git(folder, "tag", f"v1.{number}.0")


def run(folder: Path, *lines: str) -> dict[str, Any]:
    """The command lines on the copy, in a process of its own, which imports it; then a forecast."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tests.unit.compatibility.on_a_copy"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "128"},
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def dialogue(console: str) -> list[tuple[str, str]]:
    """What is typed, and what that prints."""
    parts = [each.partition("\n") for each in f"\n{console}".split("\n$ ")[1:]]
    return [(line, said.rstrip()) for line, _, said in parts]


def test_the_page_has_the_steps_of_a_migration() -> None:
    kinds = [[kind for kind, _ in step] for step in STEPS]
    assert kinds == [*[["diff", "console"]] * 3, ["console", "diff", "console"]]


class OrderVolumeForecastedV2(Event):
    contract_version = 2

    boxes: DatasetRef


def test_a_consumer_that_is_too_early_is_refused_as_the_page_says() -> None:
    early = create_model("ConfigureNetwork", __base__=ConfigureNetwork, volume=(OrderVolumeForecastedV2, ...))
    network = NETWORK_CONFIGURATION.model_copy(update={"input": early})
    steps = (Map((DATA_EXTRACTOR,), over="plan.batches"), Parallel((ORDER_VOLUME, RECIPE_POPULARITY)))
    with pytest.raises(PipelineError) as caught:
        Pipeline("order-simulation", Sequence((CONFIGURATOR, *steps, Map((network,), over="plan.factories"))))
    assert f"\n{caught.value}\n" in PAGE.replace("only:\n", "only: ")


def test_every_step_applies_prints_what_the_page_says_and_forecasts_the_same(copy: Path) -> None:
    forecast = run(copy)["made"]
    for number, step in enumerate(STEPS, 1):
        for kind, text in step:
            if kind == "diff":
                git(copy, "apply", "-", text=text)
                continue
            found = run(copy, "brigade contracts render", *(line for line, _ in dialogue(text)))
            assert found["made"] == forecast, f"step {number}"
            for (line, said), answer in zip(dialogue(text), found["told"][1:], strict=True):
                assert (answer["code"], answer["said"]) == (0, said), f"step {number}: {line} prints\n{answer['said']}"
        release(copy, number)
        given = {path.name[-7:-5] for path in (copy / "contracts" / "schemas").glob("order-volume-forecasted.*")}
        assert given == ({"v1", "v2"} if number < len(STEPS) else {"v2"})
