"""The README's worked example is run as it stands: contract, handler and the two lines in the pipeline."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from contracts.component import Component
from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.message import DatasetRef
from contracts.site_forecast import SiteForecasted
from orchestrator import asl
from services.runtime.testing import local_context

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PIPELINES = ROOT / "contracts" / "pipelines.py"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> tuple[Component, ModuleType]:
    contract, handler = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    made = {}
    for name, code in (("contracts.waste_forecast", contract), ("services.waste_forecast.handler", handler)):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(code, name, "exec"), module.__dict__)
        made[name] = module
    component = made["contracts.waste_forecast"].WASTE_FORECAST
    assert isinstance(component, Component)
    return component, made["services.waste_forecast.handler"]


def with_the_lines(source: str) -> str:
    """`contracts/pipelines.py` with the README's diff, also when somebody has followed it: each part finds its place once."""
    lines = source.splitlines(keepends=True)
    source = "".join(line for line in lines if "WASTE_FORECAST" not in line)
    (diff,) = re.findall(r"```diff\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    for part in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        shown = part.splitlines(keepends=True)
        before = "".join(line[1:] for line in shown if line.startswith(" "))
        if source.count(before) != 1:
            pytest.fail(f"the diff in README.md shows a line that is not once in {PIPELINES}: {before}")
        source = source.replace(before, "".join(line[1:] for line in shown))
    return source


def test_two_lines_put_it_into_the_pipeline(example: tuple[Component, ModuleType]) -> None:
    component, _ = example
    source = PIPELINES.read_text(encoding="utf-8")
    changed = with_the_lines(source)
    assert with_the_lines(changed) == changed
    module = ModuleType("changed")
    exec(compile(changed, PIPELINES, "exec"), module.__dict__)
    pipeline = module.ORDER_SIMULATION
    assert component in pipeline.components
    needs = {need.component: need.how for need in pipeline.graph.node("waste-forecast").needs}
    assert needs == {"configurator": "one", "site-forecast": "all"}
    assert "waste-forecast" in asl.render(pipeline)["States"]


def test_its_handler_answers(example: tuple[Component, ModuleType], tmp_path: Path) -> None:
    component, module = example
    ctx = local_context(tmp_path, "waste-forecast")
    needs = [("ingredient", "rice", "g", 100.0, 130.0), ("ingredient", "egg", "pieces", 5.0, 9.0)]
    needs.append(("recipe", "risotto", "orders", 10.0, 14.0))
    rows = [dict(zip(("kind", "name", "unit", "p50", "p90"), need, strict=True)) for need in needs]
    site = SiteForecasted(forecast=ctx.write("site", pa.Table.from_pylist(rows)))
    inputs = component.input.model_validate({"plan": _plan(), "forecasts": [site, site]})
    assert module.handle(inputs, ctx).grams == 60.0


def _plan() -> RunPlanned:
    return RunPlanned.model_validate(
        {
            "date": "2026-11-25",
            "weekday": "wednesday",
            "seed": 1,
            "history": History.model_validate({"first_week": "2026-09-12", "last_week": "2026-11-14"}),
            "weeks": [MenuWeek.model_validate({"key": "w", "starts": "2026-11-28", "recipes": ["risotto"]})],
            "factories": [Factory(key="A", weekly_cap=1, regions=("r",))],
            "batches": [Batch(key="b1", centres=("c",))],
            "recipe_book": DatasetRef(uri="file:///none", rows=0, sha256="0" * 64),
            "recipes_per_box": 3,
            "portions_per_order": 2,
        }
    )
