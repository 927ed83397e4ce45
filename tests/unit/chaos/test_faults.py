"""Planted faults: who meets them, and how often."""

from pathlib import Path

import pytest

from chaos.faults import Fault, Faults


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    made = Faults(tmp_path)
    made.create()
    return made


def test_a_fault_is_taken_as_often_as_it_was_planted(faults: Faults) -> None:
    fault = Fault("handling", "raise-transient", "cook", item="fish", run="2026-01-01")
    faults.plant(fault, times=2)
    met = [faults.take("handling", "cook", "fish", "2026-01-01-orchestrated-1") for _ in range(3)]
    assert met == [fault, fault, None]
    assert faults.planted() == []
    assert faults.taken() == [fault, fault]


@pytest.mark.parametrize(
    "place",
    [
        ("handled", "cook", "fish", "run-1"),
        ("handling", "server", "fish", "run-1"),
        ("handling", "cook", "soup", "run-1"),
        ("handling", "cook", "fish", "another-1"),
    ],
)
def test_a_fault_waits_for_what_it_names(faults: Faults, place: tuple[str, str, str, str]) -> None:
    faults.plant(Fault("handling", "kill", "cook", item="fish", run="run-"))
    assert faults.take(*place) is None  # type: ignore[arg-type] # each is a point
    assert len(faults.planted()) == 1


def test_only_a_worker_can_be_killed_outside_its_handler(faults: Faults) -> None:
    with pytest.raises(ValueError, match="in a handler only"):
        faults.plant(Fault("committed", "hang", "cook"))


def test_what_was_planted_is_forgotten(faults: Faults) -> None:
    faults.plant(Fault("handling", "kill", "cook"), times=2)
    faults.take("handling", "cook", "-", "run")
    faults.clear()
    assert faults.planted() == faults.taken() == []
