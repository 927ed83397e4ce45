"""A message that moves to version 2: every step passes the check, and the status says who is where."""

import copy
import itertools
from typing import Any

import pytest

from orchestrator import asyncapi
from orchestrator.compatibility import schemas
from orchestrator.compatibility.check import compare, failing
from orchestrator.compatibility.status import status
from tests.support.bakery import AFTER, ALL_MOVED, BEFORE, BOTH, ONE_MOVED, STAGES, Stage, bakery

V1, V2 = "loaf-baked.v1", "loaf-baked.v2"


def documents(stage: Stage) -> dict[str, dict[str, Any]]:
    return schemas.documents((bakery(stage),))


@pytest.mark.parametrize(("old", "new"), [*itertools.pairwise(STAGES), (BEFORE, BOTH), (BOTH, ALL_MOVED)])
def test_every_step_breaks_nobody(old: Stage, new: Stage) -> None:
    changes = compare(documents(old), documents(new))
    assert changes
    assert [change.breaks for change in changes] == [()] * len(changes)


def test_both_versions_have_a_schema_while_both_are_given() -> None:
    before, both, after = (documents(stage) for stage in (BEFORE, BOTH, AFTER))
    assert both[V1] == before[V1]
    assert (both[V2]["x-inside"], both[V2]["x-component"]) == (V1, "baker")
    assert V1 not in after
    assert "x-inside" not in after[V2]


@pytest.mark.parametrize("new", [ONE_MOVED, ALL_MOVED, AFTER], ids=["one consumer", "all consumers", "version 1 gone"])
def test_a_consumer_does_not_move_in_the_release_that_first_gives_its_version(new: Stage) -> None:
    """What is under way then has the first version only."""
    broken = failing(compare(documents(BEFORE), documents(new)))
    assert ("label-loaves.v1", "backward", "loaves.kilograms", "missing") in [
        (each.message, each.direction, each.path, each.kind) for each in broken
    ]


def test_a_consumer_does_not_move_back_when_its_version_has_gone() -> None:
    assert failing(compare(documents(ALL_MOVED), documents(ONE_MOVED))) == ()
    broken = failing(compare(documents(AFTER), documents(ONE_MOVED)))
    assert [(each.message, each.path) for each in broken if each.direction == "backward"] == [
        ("weigh-loaves.v1", "loaves.grams")
    ]


def test_all_move_at_once_with_commands_of_a_new_version() -> None:
    """No command of the old ones is under way then: no run is."""
    after = documents(AFTER)
    renamed = {
        name.replace("loaves.v1", "loaves.v2") if "x-fills" in document else name: document
        for name, document in after.items()
    }
    changes = compare(documents(BEFORE), renamed)
    assert {each.replaced_by for change in changes for each in change.breaks} == {V2}
    assert failing(changes) == ()


@pytest.mark.parametrize("version", [V1, V2])
def test_a_break_within_a_version_fails_while_both_are_given(version: str) -> None:
    old = documents(ONE_MOVED)
    field = "grams" if version == V1 else "kilograms"
    new = copy.deepcopy(old)
    del new[version]["properties"][field]
    new[version]["required"].remove(field)
    (each,) = failing(compare(old, new))
    taker = "weigher" if version == V1 else "labeller"
    assert (each.message, each.direction, each.path, each.consumers) == (
        version,
        "forward",
        field,
        (f"tests ({taker})",),
    )


def test_the_status_names_who_takes_which_version_and_when_the_first_can_go() -> None:
    def verdicts(before: Stage, now: Stage) -> dict[str, tuple[tuple[str, ...], str]]:
        found = status(documents(before), documents(now))
        return {each.message: (each.takers, each.verdict) for each in found if each.giver == "baker"}

    weigher, labeller = "tests (weigher)", "tests (labeller)"
    assert verdicts(BEFORE, BOTH) == {
        V1: ((labeller, weigher), f"kept for {labeller}, {weigher}"),
        V2: ((), "current"),
    }
    assert verdicts(ONE_MOVED, ONE_MOVED) == {V1: ((weigher,), f"kept for {weigher}"), V2: ((labeller,), "current")}
    assert verdicts(ONE_MOVED, ALL_MOVED)[V1] == ((), f"kept for {weigher}")
    assert verdicts(ALL_MOVED, ALL_MOVED)[V1] == ((), "can go")
    assert verdicts(ALL_MOVED, AFTER) == {V2: ((labeller, weigher), "current")}


def test_a_version_inside_of_another_is_described_as_part_of_what_is_sent() -> None:
    found = asyncapi.document((bakery(ONE_MOVED),))
    assert V2 not in found["components"]["messages"]
    assert V2 not in found["channels"]["baker-events"]["messages"]
    data = found["components"]["messages"][V1]["payload"]["allOf"][1]["properties"]["data"]
    whole, inside = data["allOf"]
    assert whole == {"$ref": f"./schemas/{V1}.json"}
    assert inside["properties"] == {V2: {"$ref": f"./schemas/{V2}.json"}}
    assert V2 in asyncapi.document((bakery(AFTER),))["channels"]["baker-events"]["messages"]
