"""The README's worked example is run as it stands: contract, handler and the line in the pipeline."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from contracts.component import Component
from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.message import DatasetRef
from contracts.pipeline import Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION
from contracts.publisher import PUBLISHER
from contracts.site_forecast import SiteForecasted
from orchestrator import asl
from services.runtime.testing import local_context

README = Path(__file__).parents[2] / "README.md"


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


def test_one_line_puts_it_into_the_pipeline(example: tuple[Component, ModuleType]) -> None:
    component, _ = example
    *steps, publisher = ORDER_SIMULATION.flow.steps
    assert publisher is PUBLISHER
    pipeline = Pipeline(name="with-waste", flow=Sequence((*steps, component, publisher)))
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
