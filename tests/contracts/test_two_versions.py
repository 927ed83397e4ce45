"""Pacts while a message is given in two versions: each consumer's is about the version that it takes."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pact.types import Message

from contracts.component import Component
from tests.contracts import reliance
from tests.contracts.provider import PactBroken, message_of, verify
from tests.contracts.reliance import Reliance, document_of, file_of, pact_of
from tests.support.bakery import ONE_MOVED, LoafBakedV2, bakery

BAKED = "loaves are baked"
RELIED_ON: dict[str, dict[str, float]] = {"weigher": {"grams": 800}, "labeller": {"kilograms": 0.8}}


def component(name: str) -> Component:
    return next(component for component in bakery(ONE_MOVED).components if component.name == name)


BAKER = component("baker")


@pytest.fixture
def pacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reliance, "PACTS", tmp_path)
    for name, message in RELIED_ON.items():
        pact = pact_of(component(name), Reliance(BAKER, BAKED, message))
        file_of(component(name), BAKER).write_text(document_of(pact))
    return tmp_path


def test_a_pact_is_about_the_version_that_its_consumer_takes(pacts: Path) -> None:
    found = {path.name: json.loads(path.read_text())["interactions"][0]["description"] for path in pacts.iterdir()}
    assert found == {"weigher-baker.json": "loaf-baked.v1", "labeller-baker.json": "loaf-baked.v2"}


def test_what_the_producer_gives_fits_the_pacts_of_both_versions(pacts: Path) -> None:
    verify(BAKER, {BAKED: partial(message_of, LoafBakedV2(key="rye", kilograms=1.25), BAKER)}, pacts)


@pytest.mark.parametrize(
    ("version", "field", "consumer"),
    [("loaf-baked.v1", "grams", "weigher"), ("loaf-baked.v2", "kilograms", "labeller")],
)
def test_a_field_that_is_dropped_from_one_version_breaks_its_consumer(
    version: str, field: str, consumer: str, pacts: Path
) -> None:
    def give() -> Message:
        whole: dict[str, Any] = {"grams": 1250, "loaf-baked.v2": {"kilograms": 1.25}}
        del (whole.get(version) or whole)[field]
        return Message(contents=json.dumps(whole).encode(), metadata=None, content_type="application/json")

    with pytest.raises(PactBroken) as broken:
        verify(BAKER, {BAKED: give}, pacts)
    (line,) = str(broken.value).splitlines()
    assert line.startswith(
        f"tests (baker) no longer gives what tests ({consumer}) relies on in {version}: the message: "
    )
    assert field in line
