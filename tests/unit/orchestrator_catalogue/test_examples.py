"""Every message has an example, which its model takes."""

from datetime import date, datetime
from typing import Literal

import pytest
from pydantic import Field

from contracts.component import Component
from contracts.envelope import MAX_MESSAGE_BYTES, Envelope
from contracts.errors import PipelineError
from contracts.message import DatasetRef, Event, Frozen, Plan
from contracts.pipeline import Pipeline, Sequence
from contracts.pipelines import PIPELINES, all_components
from orchestrator.catalogue.examples import SAID, examples
from orchestrator.compatibility import schemas
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, pipeline
from tests.unit.orchestrator.test_asl import BY_EVENING

DOCUMENTS = schemas.documents(PIPELINES)


@pytest.mark.parametrize("component", all_components(), ids=lambda component: component.name)
def test_a_model_takes_its_example(component: Component) -> None:
    for model in (component.input, component.output):
        sealed = Envelope[model].model_validate(examples(DOCUMENTS, PIPELINES)[model.wire_type()])  # type: ignore[valid-type] # made here
        assert sealed.type == model.wire_type()
        assert len(sealed.model_dump_json()) < MAX_MESSAGE_BYTES


def test_they_are_of_one_run_and_the_same_every_time() -> None:
    made = examples(DOCUMENTS, PIPELINES)
    assert made == examples(DOCUMENTS, PIPELINES)
    plan = made["run-planned.v1"]["data"]
    assert made["simulate-orders.v1"]["data"]["plan"] == plan
    assert made["simulate-orders.v1"]["data"]["week"] == plan["weeks"][0]
    assert made["simulate-orders.v1"]["data"]["networks"] == [made["factory-network-configured.v1"]["data"]]
    assert made["orders-simulated.v1"]["id"].endswith("/order-simulator/2026-11-28")


def test_what_is_said_by_hand_is_of_a_field_there_is() -> None:
    models = [d for document in DOCUMENTS.values() for d in (document, *document.get("$defs", {}).values())]
    fields = {f"{model['title']}.{field}" for model in models for field in model.get("properties", {})}
    assert set(SAID) <= fields


def test_other_pipelines_have_examples_too() -> None:
    pipelines = (pipeline(HOST, HERBS, BY_EVENING, CLOSER),)
    documents = schemas.documents(pipelines)
    assert set(examples(documents, pipelines)) == set(documents) - {schemas.REQUEST}


class Odd(Frozen):
    grade: Literal["b", "a"]
    name: str = Field(min_length=6)
    short: str = Field(max_length=2)
    share: float = Field(gt=0, lt=1)
    count: int = Field(ge=5, le=9)
    many: tuple[int, ...] = Field(min_length=2)
    when: datetime
    day: date
    sure: bool
    maybe: DatasetRef | None = None
    prices: dict[str, float]


class OddPlanned(Plan):
    inner: Odd
    code: str = Field(pattern="^[A-Z]$")


class Strict(Event):
    code: str = Field(pattern="^only this$")


def alone(output: type[Event]) -> tuple[Pipeline, ...]:
    first = Component(name="first", squad="s", input=HOST.input, output=OddPlanned)
    last = Component(name="last", squad="s", input=HERBS.input, output=output)
    return (Pipeline(name="p", flow=Sequence((first,) if output is OddPlanned else (HOST, last))),)


def test_bounds_lengths_formats_and_values_are_kept_to() -> None:
    pipelines = alone(OddPlanned)
    found = examples(schemas.documents(pipelines), pipelines)["odd-planned.v1"]["data"]
    planned = OddPlanned.model_validate(found)
    assert planned.inner.grade == "b"
    assert planned.inner.maybe is not None
    assert planned.inner.maybe.uri.endswith("/first/2026-11-25-choreographed-1a2b3c/-/maybe.parquet")


def test_a_pattern_that_nothing_satisfies_is_named() -> None:
    pipelines = alone(Strict)
    with pytest.raises(PipelineError, match=r"no example of Strict\.code matches \^only this\$: add one to SAID"):
        examples(schemas.documents(pipelines), pipelines)
