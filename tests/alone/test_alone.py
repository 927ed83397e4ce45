"""Runs in the tree of one squad only: whose code can be imported there, and whose cannot."""

import importlib
import os

import pytest

from contracts.pipelines import all_components

SQUAD = os.environ["SQUAD"]
OWN = [f"services.{each.module}.handler" for each in all_components() if each.squad == SQUAD]
OTHERS = [f"services.{each.module}" for each in all_components() if each.squad != SQUAD]


@pytest.mark.parametrize("module", [*OWN, "services.runtime.worker", "services.models"])
def test_the_squads_own_code_and_the_runtime_are_here(module: str) -> None:
    importlib.import_module(module)


@pytest.mark.parametrize("module", [*OTHERS, "services.backtest", "orchestrator", "bench", "chaos"])
def test_nobody_elses_code_is_here(module: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)
