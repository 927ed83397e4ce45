"""What the driver does in a run, and when: by a clock of the test's own, on a site that is made up."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.compare import drive as module
from chaos.compare.drive import PATIENCE, Asked, drive
from chaos.compare.faults import Drawn, Spell
from chaos.compare.subject import load

SUBJECT = load("examples.two_stations")
DAY = SUBJECT.day(0)


class Site:
    """Notes what happens, with the second. The run ends at `ends`."""

    subject = SUBJECT
    aws = connection = deployment = None

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends: float) -> None:
        self.now, self.ends, self.done = 0.0, ends, list[tuple[float, str]]()
        self.home = SimpleNamespace(logs=SimpleNamespace(glob=lambda _: ()))
        self.faults = SimpleNamespace(plant=lambda fault: self.note(f"plant {fault.run}"), taken_at=lambda _: 4.5)
        self.workers = SimpleNamespace(replace_dead=list)
        clock = SimpleNamespace(time=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(module, "snapshot", lambda _: Counter())
        monkeypatch.setattr(module, "start_run", self.start)
        monkeypatch.setattr(module, "start_scheduled", self.start)
        monkeypatch.setattr(module, "strike", lambda aws, deployment, component, run: self.note(component.name))
        monkeypatch.setattr(module, "stop_run", lambda *_: self.note("stop"))

    def note(self, what: str) -> None:
        self.done.append((round(self.now), what))

    def start(self, *_: Any) -> SimpleNamespace:
        self.note("start")
        return SimpleNamespace(run_id="run-1")

    def sleep(self, seconds: float) -> None:
        self.now += 1

    def restore(self) -> None:
        self.note("restore")

    def settle(self) -> bool:
        return True

    def rows(self, query: str, **_: Any) -> list[Any]:
        return [1] if self.now >= self.ends else []

    def drive(self, style: Any, fault: Drawn | None = None, starts: dict[str, float] | None = None) -> Any:
        due: Any = "due"
        asked = Asked(style, DAY, fault or Drawn("nothing"), due, starts or {})
        return drive(cast(Any, self), asked)


def outage(monkeypatch: pytest.MonkeyPatch, site: Site, begins: float, ends: float) -> None:
    spell = Spell(begins, ends, lambda: site.note("break"), lambda: site.note("mend"))
    monkeypatch.setattr(module, "spell", lambda *_: spell)


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "spell", lambda *_: None)


def test_every_clock_strikes_at_its_time_whatever_the_run_has_come_to(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, ends=2)
    run = site.drive("scheduled", starts={"bread-planner": 0.0, "baker": 5.0})
    assert site.done == [(0, "restore"), (0, "start"), (5, "baker"), (5, "restore")]
    assert (run.messages, run.lost) == (2, False)


def test_who_was_away_when_the_run_came_was_away_before(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, ends=2)
    outage(monkeypatch, site, begins=0, ends=7)
    run = site.drive("choreographed")
    assert site.done == [(0, "restore"), (0, "break"), (0, "start"), (7, "mend"), (7, "restore")]
    assert (run.begun, run.undone, run.messages) == (0, 7, 1)


def test_an_outage_comes_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, ends=9)
    outage(monkeypatch, site, begins=3, ends=5)
    run = site.drive("orchestrated")
    assert site.done[2:] == [(3, "break"), (5, "mend"), (9, "restore")]
    assert (run.begun, run.undone, run.messages) == (3, 5, 0)


def test_a_fault_of_a_step_waits_for_this_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, ends=2)
    run = site.drive("choreographed", Drawn("handler raises transiently", "baker"))
    assert site.done[1] == (0, f"plant {DAY}-choreographed-")
    assert run.happened == 4.5


def test_a_run_without_an_end_is_lost_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, ends=10 * PATIENCE)
    run = site.drive("scheduled", starts={"bread-planner": 0.0, "baker": 5.0})
    assert run.lost
    assert site.done[-2:] == [(PATIENCE + 6, "stop"), (PATIENCE + 6, "restore")]
