"""What was recorded is read as it was, and what cannot be read says where."""

from pathlib import Path

import pytest

from chaos.pipeline import COOK, MEAL, PLANNER, SAUCIER, SERVER, SOMMELIER
from contracts.errors import BadRequest
from orchestrator.compare.recorded import RUNS, append_run, places_of, read_recording, write_head
from tests.unit.compare.recordings import head, run, step

STEPS = (step("planner", "-", (), 0.1, 0.4), step("cook", "starter", ("planner/-",), 0.6, 0.9))


def test_is_read_as_it_was_recorded(tmp_path: Path) -> None:
    runs = (run(0, "scheduled", STEPS), run(1, "orchestrated", STEPS).model_copy(update={"warm_up": True}))
    write_head(tmp_path / "new", head())
    for one in runs:
        append_run(tmp_path / "new", one)
    recording = read_recording(tmp_path / "new")
    assert recording.head == head()
    assert recording.runs == runs
    assert recording.measured == runs[:1]


def test_a_new_head_begins_again(tmp_path: Path) -> None:
    write_head(tmp_path, head())
    append_run(tmp_path, run(0, "scheduled"))
    write_head(tmp_path, head(runs=5))
    assert read_recording(tmp_path).runs == ()


def test_a_folder_without_a_recording_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="`brigade compare` makes one"):
        read_recording(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    write_head(tmp_path, head())
    append_run(tmp_path, run(0, "scheduled"))
    with (tmp_path / RUNS).open("a") as file:
        file.write('{"number": 1}\n')
    with pytest.raises(BadRequest, match=r"line 2 of .*repetition: Field required"):
        read_recording(tmp_path)


def test_places_say_what_the_state_machine_waits_for() -> None:
    places = places_of(MEAL, workers=2)
    assert places[COOK.name].before == (PLANNER.name,)
    assert places[COOK.name].max_concurrency is not None
    assert places[SAUCIER.name].before == places[SOMMELIER.name].before == (PLANNER.name, COOK.name)
    assert set(places[SERVER.name].before) == set(places) - {SERVER.name}
    assert places[SERVER.name].slots == SERVER.concurrency * 2
