"""Pages that a service serves keep themselves up to date in a real browser: `make test-browser`."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from orchestrator.page.content import RunOnPage
from orchestrator.service.app import create_app
from tests.browser.chromium import Tab, tab
from tests.support.server import serving
from tests.unit.orchestrator_page.runs import DONE, Making, attempt, line, running
from tests.unit.service.kitchen import Kitchen, opened

PLANNED = Making((DONE[0], attempt("data-extractor", "b1", 0, "waiting")), "RUNNING")

BOX = "document.querySelector('.wide .box[href=\"#order-simulator\"]').getAttribute('class')"


@dataclass
class Stage:
    """A run that is what a test says it is now."""

    kitchen: Kitchen = field(default_factory=Kitchen)
    making: Making = field(default_factory=running)
    url: str = ""


class StageKitchen(Kitchen):
    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage

    def look(self, run_id: str) -> RunOnPage:
        self._note("look", run_id)
        return self.stage.making.page()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.kitchen = StageKitchen(stage)
    with serving(create_app(opened(stage.kitchen), token=None)) as url:
        stage.url = url
        yield stage


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Tab]:
    async with tab(tmp_path) as found:
        yield found
        assert found.problems == []


async def test_steps_change_colour_and_what_was_opened_stays(stage: Stage, browser: Tab) -> None:
    await browser.goto(f"{stage.url}/runs/r1")
    assert await browser.tell(BOX) == "box running"
    await browser.tell("window.sameDocument = true; document.getElementById('publisher/-').open = true; 0")
    await browser.tell("document.getElementById('publisher/-').scrollIntoView(); window.at = scrollY; 0")
    stage.making = Making()
    await browser.until(f"{BOX} === 'box done'")
    assert await browser.tell("window.sameDocument") is True
    assert await browser.tell("document.getElementById('publisher/-').open") is True
    opened_steps = "[...document.querySelectorAll('main section > details[open]')].map(step => step.id)"
    assert await browser.tell(opened_steps) == ["publisher/-"]
    assert "SUCCEEDED" in await browser.tell("document.querySelector('.headline').textContent")
    assert await browser.tell("document.body.dataset.refresh") == "15"


async def test_parts_come_without_disturbing_others(stage: Stage, browser: Tab) -> None:
    """The plan's steps, the timeline, attempts, outputs and log lines are not there from the beginning."""
    stage.making = PLANNED
    await browser.goto(f"{stage.url}/runs/r1")
    await browser.tell("document.getElementById('configurator/-').open = true; 0")
    await browser.tell("document.querySelector('[id=\"configurator/-\"] [data-part=Output]').open = true; 0")
    lines = (line("configurator", "-", "plans"), line("publisher", "-", "publishes"))
    stage.making = Making(lines=lines)
    await browser.until("!!document.getElementById('publisher/-')")
    parts = "[...document.querySelectorAll('[id=\"configurator/-\"] [data-part]')].map(p => [p.dataset.part, p.open])"
    assert await browser.tell(parts) == [["Input", False], ["Output", True], ["Log", True]]
    assert await browser.tell("[...document.querySelectorAll('main > section')].map(s => s.dataset.part)") == [
        "pipeline",
        "timeline",
        "steps",
    ]
    # What is on the page now is what a page that is loaded anew shows.
    shown = "document.querySelector('main').innerText"
    kept = await browser.tell(shown)
    await browser.tell("for (const d of document.querySelectorAll('main details')) d.open = false; 0")
    folded = await browser.tell(shown)
    assert kept != folded
    await browser.goto(f"{stage.url}/runs/r2")
    await browser.tell("for (const d of document.querySelectorAll('main details')) d.open = false; 0")
    assert await browser.tell(shown) == folded


async def test_a_service_that_does_not_answer_is_said_so(stage: Stage, browser: Tab) -> None:
    await browser.goto(f"{stage.url}/runs/r1")
    stage.kitchen.raising = psycopg.OperationalError("gone")
    await browser.until("!document.querySelector('.stale').hidden")
    told = await browser.tell("document.querySelector('.stale').innerText")
    assert re.match(r"No answer since \d\d:\d\d:\d\d UTC: ", told)
    assert await browser.tell(BOX) == "box running"
    stage.kitchen.raising = None
    await browser.until("document.querySelector('.stale').hidden")


async def test_the_list_keeps_itself_up_to_date(stage: Stage, browser: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = stage.kitchen.runs(20)
    now = rows[:1]
    monkeypatch.setattr(stage.kitchen, "runs", lambda limit: now)
    await browser.goto(f"{stage.url}/runs")
    listed = "[...document.querySelectorAll('tbody tr')].map(row => row.id)"
    assert await browser.tell(listed) == ["under-way"]
    now[:] = [rows[1], rows[0] | {"status": "SUCCEEDED"}]
    await browser.until(f"{listed}.length === 2")
    assert await browser.tell(listed) == ["failed", "under-way"]
    assert await browser.tell("document.querySelector('[id=under-way] .pill').className") == "pill done"
