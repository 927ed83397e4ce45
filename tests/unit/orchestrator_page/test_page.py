import base64
import hashlib
import re

import pytest

from contracts.message import Replacement
from orchestrator.page import render
from tests.support.html import Page
from tests.unit.orchestrator_page.runs import DONE, Making, attempt, failed, line, running

NASTY = "<script>alert(\"1\")</script> & 'co' </pre>"
FIRST_ONLY = (attempt("configurator", "-", 0, "ready"),)


def replacement(why: str) -> Replacement:
    return Replacement(component="order-volume", item="-", by="the forecast of run r0", why=why)


def page(of: Making) -> Page:
    return Page(render(of.page()).decode())


@pytest.mark.parametrize(
    "of",
    [
        Making(),
        failed(),
        running(),
        Making(FIRST_ONLY, "RUNNING"),
        Making(FIRST_ONLY, "FAILED", cause="the run could not be started"),
        Making(no_lines="the log lines are elsewhere"),
        Making(generation=3),
    ],
)
def test_a_page_of_any_run_is_well_formed_and_needs_nothing_from_elsewhere(of: Making) -> None:
    found = page(of)
    assert found.problems == []
    assert found.headings[0] == of.run_id
    assert len(found.of("svg")) == 2  # from left to right for a desk, from top to bottom for a telephone


def test_whatever_a_run_carries_is_text() -> None:
    lines = (
        line("publisher", "-", NASTY, exception=NASTY),
        line(NASTY, "-", NASTY),
        line("publisher", "-", NASTY, attempt=NASTY),
    )
    attempts = (
        *DONE[:-1],
        attempt("publisher", input={"plan": NASTY}, output={NASTY: [NASTY]}, error=NASTY, worker=NASTY),
    )
    found = page(Making(attempts, "FAILED", (replacement(NASTY),), NASTY, lines=lines, no_lines=None))
    assert found.problems == []
    assert found.tags.count("script") == 1
    assert found.text.count(NASTY) >= 6


def test_a_degraded_run_says_what_was_replaced_by_what_and_why() -> None:
    attempts = (*DONE[:3], attempt("order-volume", mode="fallback", at=1.4), *DONE[4:])
    found = page(Making(attempts, degraded=(replacement("BadData: no history"),)))
    assert "SUCCEEDED, degraded" in found.text
    assert "order-volume/- gave the forecast of run r0, because of BadData: no history" in found.text
    assert "done fallback" in found.text
    assert "order-volume \u2248 1 replaced v1" in found.text


def test_only_the_page_s_own_script_may_run() -> None:
    found = page(Making())
    (script,) = found.words_in("script")
    (policy,) = (meta["content"] or "" for meta in found.of("meta") if meta.get("http-equiv"))
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy


def boxes(of: Making) -> dict[str, str]:
    """The colour of each component's box."""
    found = page(of)
    pairs = [(link["href"], link["class"]) for link in found.of("a") if (link.get("class") or "").startswith("box ")]
    assert pairs[: len(pairs) // 2] == pairs[len(pairs) // 2 :]
    return {str(href)[1:]: str(colour)[4:] for href, colour in pairs}


def test_boxes_are_coloured_by_status() -> None:
    assert set(boxes(Making()).values()) == {"done"}
    after = {"site-forecast": "waiting", "publisher": "waiting"}
    assert boxes(running()) == boxes(Making()) | after | {"order-simulator": "running"}
    assert boxes(Making(degraded=(replacement("BadData"),))) == boxes(Making()) | {"order-volume": "replaced"}
    after = {"site-forecast": "not-run", "publisher": "not-run"}
    assert boxes(failed()) == boxes(Making()) | after | {"order-simulator": "failed"}


def test_boxes_count_items_and_name_versions() -> None:
    text = page(Making()).text
    assert "data-extractor \u2713 2 done v1 · 0.60 s" in text
    assert "network-configuration \u2713 1 done, 1 reused v1 · 0.50 s" in text
    assert "order-simulator \u2713 1 done v1 · 1.80 s" in text


def test_a_run_without_a_plan_shows_the_pipeline_still() -> None:
    found = page(Making(FIRST_ONLY, "FAILED", cause="nobody came"))
    assert "Cause: nobody came" in found.text
    assert "No steps: there was no plan" in found.text
    assert len(boxes(Making(FIRST_ONLY, "FAILED"))) == 8
    assert "Timeline" not in found.headings


def bars(of: Making) -> list[tuple[str, float, float]]:
    """Status, left and width in per cent of the run's time."""
    found = page(of)
    bars = [bar for bar in found.of("i") if (bar.get("class") or "").startswith("bar ")]
    places = [re.fullmatch(r"--x:(.*);--w:(.*)", bar["style"] or "") for bar in bars]
    return [
        (str(bar["class"])[4:], float(place[1]), float(place[2]))
        for bar, place in zip(bars, places, strict=True)
        if place
    ]


def test_the_timeline_has_a_bar_for_every_attempt() -> None:
    found = bars(Making())
    assert len(found) == len([a for a in DONE if a.attempt])
    assert found[0][0] == "done"
    assert found[0][1:] == pytest.approx((100 * 0.1 / 6, 100 * 0.5 / 6), abs=0.01)
    assert [status for status, *_ in found].count("failed") == 1
    assert all(0 <= left <= 100 and 0 < width <= 100 - left + 0.01 for _, left, width in found)
    assert "2 attempts, 1.00 s" in page(Making()).text
    assert "network-configuration B reused" in page(Making()).text


def test_an_attempt_under_way_lasts_until_now() -> None:
    status, *place = bars(running())[-1]
    assert status == "running"
    assert place == pytest.approx([100 * 4 / 6, 100 * 2 / 6], abs=0.01)


def test_attempts_after_the_run_ended_are_on_the_page() -> None:
    """A redrive keeps the run's start; an attempt may also end after the run failed."""
    late = (*DONE[:-1], attempt("publisher", at=9.0))
    _, *place = bars(Making(late))[-1]
    assert place == pytest.approx([100 * 9 / 9.5, 100 * 0.5 / 9.5], abs=0.01)


def test_a_failed_step_is_open_and_says_why() -> None:
    found = page(failed())
    opened = [block["id"] for block in found.of("details") if "open" in block and "id" in block]
    assert opened == ["order-simulator/2026-11-28"]
    assert "Cause: order-simulator/2026-11-28 failed: BadData: no shares" in found.text
    assert "BadData: no shares" in found.words_in("span")
    assert "TransientError: <b>again</b>" in found.words_in("span")


def test_the_plan_is_shown_once_and_led_to_from_inputs() -> None:
    found = page(running())
    assert "".join(found.words_in("pre")).count('"weeks"') == 1
    assert {"configurator/-", "order-volume/-"} <= set(found.links)
    assert '"item": "2026-11-28"' in found.text


def test_log_lines_are_with_their_step_and_others_at_the_end() -> None:
    lines = (
        line("order-volume", "-", "modelled 9 series", attempt=1),
        line("order-volume", "-", "failed", level="ERROR", exception="Traceback: KeyError", timestamp="not a time"),
        line("site-forecast", "2031-01-01", "nobody's"),
    )
    found = page(Making(lines=lines))
    assert "09:00:01.500 INFO #1 modelled 9 series" in found.text
    assert "not a time ERROR failed Traceback: KeyError" in found.text
    assert found.text.index("Other log lines") < found.text.index("nobody's")
    assert found.text.index("modelled 9") < found.text.index("recipe-popularity 1 done")


def test_where_log_lines_are_when_they_are_not_here() -> None:
    assert "Log lines the log lines are elsewhere" in page(Making(no_lines="the log lines are elsewhere")).text
