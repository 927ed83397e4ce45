"""The report of a comparison, opened from a file as whoever it is sent to opens it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.compare.analysis import analyse
from orchestrator.compare.report import render
from tests.browser.chromium import Tab, tab
from tests.unit.compare.recordings import recording

GRID = ((1, 0.01), (1, 10.0), (50, 0.01))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(render(analyse(recording(), lambda _: None, GRID)))
    return path


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Tab]:
    async with tab(tmp_path) as found:
        yield found
        assert found.problems == []


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
async def test_it_fits_its_window_in_light_and_dark(
    report: Path, browser: Tab, width: int, scheme: str, dark: bool
) -> None:
    await browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    await browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await browser.goto(report.as_uri())
    assert await browser.tell("document.documentElement.scrollWidth") <= width
    assert await browser.tell("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 128") is dark


@pytest.mark.parametrize("width", [1400, 400])
async def test_each_plot_is_seen_once_and_its_texts_can_be_read(report: Path, browser: Tab, width: int) -> None:
    """At the width it was drawn for: a text of nine points does not shrink below seven pixels."""
    await browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    await browser.goto(report.as_uri())
    seen = "[...document.querySelectorAll('.plot')].filter(plot => plot.offsetHeight)"
    assert await browser.tell(f"{seen}.length") == 5
    heights = (
        f"{seen}.flatMap(plot => [...plot.querySelectorAll('text')].map(text => text.getBoundingClientRect().height))"
    )
    assert await browser.tell(f"Math.min(...{heights})") >= 7


async def test_on_paper_it_is_light_and_shows_wide_plots(report: Path, browser: Tab) -> None:
    await browser.ask(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    await browser.goto(report.as_uri())
    assert await browser.tell("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert await browser.tell("[...document.querySelectorAll('.plot.narrow')].some(plot => plot.offsetHeight)") is False
