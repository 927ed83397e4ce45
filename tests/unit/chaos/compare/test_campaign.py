"""In which order runs are made, and what each is told. The runs themselves are made up."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.compare import campaign
from chaos.compare.campaign import SLACK, Campaign, NotMeasurable, Wanted, span
from chaos.compare.drive import Asked
from chaos.compare.faults import Drawn
from chaos.compare.subject import load
from contracts.timetable import timetable
from orchestrator.compare.recorded import Attempt, Clock, RecordedRun, StepRun

SUBJECT = load("examples.two_stations")
STYLES: Any = ("scheduled", "choreographed", "orchestrated")
STARTS = {"bread-planner": 1.0, "baker": 3.0}
TOOK = 2.0


def made(asked: Asked, **known: Any) -> RecordedRun:
    steps = tuple(
        StepRun(
            component=name,
            item="-",
            state="done",
            attempts=(Attempt(number=1, worker="w", claimed=start, ended=start + TOOK, outcome="done"),),
        )
        for name, start in STARTS.items()
    )
    return RecordedRun(
        style=asked.style,
        run_id=f"run-{known['number']}",
        date=asked.day,
        status="SUCCEEDED",
        published_sha256=f"{asked.day}",
        seconds=5.0,
        steps=steps,
        **known,
    )


class Made:
    """What was asked for, kept and told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
        self.asked: list[Asked] = []
        self.kept: list[RecordedRun] = []
        self.told: list[RecordedRun] = []
        self.clocks: list[Clock] = []

        def record(site: Any, asked: Asked, driven: Any, **known: Any) -> RecordedRun:
            self.asked.append(asked)
            return made(asked, **known).model_copy(update=changed)

        monkeypatch.setattr(campaign, "drive", lambda site, asked: None)
        monkeypatch.setattr(campaign, "record", record)

    def run(self, **wanted: Any) -> list[RecordedRun]:
        asked = {"styles": STYLES, "runs": 3, "seed": 5, "faults": "mixed", "time_scale": 90, "buffer": 10.0} | wanted
        site = cast(Any, SimpleNamespace(subject=SUBJECT))
        Campaign(site, Wanted(**asked), self.clocks.append, self.kept.append, self.told.append).run()
        assert len(self.kept) == len(self.told) == Wanted(**asked).total
        return self.kept


def test_each_repetition_has_its_day_its_controls_and_every_style_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    runs = made.run()
    assert [run.number for run in runs] == list(range(1, len(runs) + 1))
    assert [run.style for run in runs if run.warm_up] == ["choreographed", "orchestrated"] * 2
    for repetition in (1, 2, 3):
        own = [run for run in runs if run.repetition == repetition]
        assert {run.date for run in own} == {SUBJECT.day(repetition)}
        assert [run.style for run in own[:2]] == ["choreographed", "orchestrated"]
        counted = [run for run in own if not run.control]
        assert counted == own[2:-2]
        assert sorted(run.style for run in counted) == sorted(STYLES)
        assert [run.style for run in own[-2:]] == ["orchestrated", "choreographed"], (
            "a machine that slows down slows both"
        )
        assert {run.expected_sha256 for run in counted} == {own[0].published_sha256}
    assert next((run.style, run.repetition) for run in runs if run.control) == ("scheduled", 0), (
        "whose first finds nothing"
    )


def test_every_style_is_given_the_same_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    faults: dict[int, Drawn] = {}
    for run, asked in zip(made.run(), made.asked, strict=True):
        if run.control or run.warm_up:
            assert asked.fault.kind == "nothing"
        else:
            assert faults.setdefault(run.repetition, asked.fault) == asked.fault


def test_the_same_seed_gives_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [[(run.repetition, run.style) for run in Made(monkeypatch).run(runs=8, seed=seed)] for seed in (5, 5, 6)]
    assert orders[0] == orders[1] != orders[2]


def test_clocks_leave_more_than_what_components_took(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    made.run()
    (clock,) = made.clocks
    assert clock.starts == timetable(SUBJECT.pipeline.graph, dict.fromkeys(STARTS, SLACK * TOOK), 10.0)
    for asked in made.asked:
        if asked.due and asked.fault.component:
            due = clock.starts if asked.style == "scheduled" else STARTS
            assert (asked.due.at, asked.due.expected) == (due[asked.fault.component], SLACK * TOOK)


def test_without_faults_one_control_says_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Made(monkeypatch).run(faults="none")
    assert [run.style for run in runs if run.control] == ["scheduled", *["choreographed"] * 3]


def test_what_does_not_run_without_a_fault_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotMeasurable, match=r"run-1, without any fault, ended FAILED \(no menu\)"):
        Made(monkeypatch, status="FAILED", cause="no menu").run()


def test_a_component_takes_from_its_first_claim_to_its_last_commit() -> None:
    run = made(Asked("choreographed", SUBJECT.day(0), campaign.NO_FAULT), number=1, repetition=0)
    assert span(run, "baker") == (3.0, 5.0)
    assert span(run, "somebody else") == (0.0, 0.0)
