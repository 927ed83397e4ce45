import base64
import hashlib
import re
from dataclasses import replace
from datetime import date

import pytest

from contracts.message import Replacement
from services.publisher.page import render
from services.publisher.page.content import Content
from services.publisher.previous import Previous
from tests.support.html import Page
from tests.unit.services.publisher.publication import ROWS, TOTALS, W1, W2, content, plan, row, total

NASTY = "<script>alert(\"1\")</script> & 'co' </style>"


def page(of: Content) -> Page:
    return Page(render(of).decode())


def previous(**p50: float) -> Previous:
    """The publication of the week before: pies of factory A in the first week, unless others are given."""
    rows = {(W1, "A", "recipe", name): amount for name, amount in p50.items()}
    return Previous("before", date(2026, 11, 20), rows, {(W1, "A"): 400.0})


@pytest.mark.parametrize(
    "of",
    [
        content(),
        content(previous=previous(pie=90.0, stew=4.0)),
        content(rows=[], totals=[], history_weeks=0),
        content(totals=[]),
        content(totals=TOTALS[:1], history_weeks=0),
        content(history_weeks=1),
        content(rows=[row(0.0), row(0.0, kind="ingredient", name="salt", unit="g")], totals=[total(0.0)]),
        content(rows=[*ROWS, row(7.0, factory="Z")]),
    ],
)
def test_a_page_is_well_formed_and_needs_nothing_from_elsewhere(of: Content) -> None:
    found = page(of)
    assert found.problems == []
    assert "forecast.csv" in [link.get("href") for link in found.of("a")]


def test_the_same_publication_has_the_same_bytes() -> None:
    assert render(content(previous=previous(pie=90.0))) == render(content(previous=previous(pie=90.0)))


def test_it_says_what_when_and_for_which_weeks() -> None:
    found = page(content())
    assert found.headings[:2] == ["Forecast of 27 November 2026", "What changed"]
    assert {"Factory A", "Factory B", "How it was made"} <= set(found.headings)
    assert "2 menu weeks, 28 November 2026 to 11 December 2026" in found.text
    assert "2026-11-27-orchestrated-1a2b3c" in found.text
    assert "ab" * 32 in found.text
    assert "weeks of 12 September 2026 to 14 November 2026" in found.text
    assert "Fulfilment centres 3" in found.text


def test_names_that_look_like_markup_are_text() -> None:
    rows = [row(5.0, NASTY, factory=NASTY, unit=NASTY), row(5.0, NASTY, kind="ingredient", unit=NASTY)]
    before = Previous(NASTY, date(2026, 11, 20), {(W1, "A", "ingredient", NASTY): 4.0}, {(W1, NASTY): 1.0})
    of = content(rows, [total(5.0, NASTY)], before, kinds={NASTY: NASTY})
    of = replace(of, run_id=NASTY, history={NASTY: {W1: 1.0}})
    found = page(of)
    assert found.problems == []
    assert found.tags.count("script") == 1
    assert found.tags.count("style") == 1
    assert NASTY in found.text
    assert f"Factory {NASTY}" in found.headings


def test_only_the_page_s_own_script_may_run() -> None:
    found = page(content())
    (script,) = found.words_in("script")
    (policy,) = (meta["content"] or "" for meta in found.of("meta") if meta.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_tables_have_captions_and_headings_that_sort() -> None:
    found = page(content())
    assert found.tags.count("table") == found.tags.count("caption") > 0
    headings = [th for th in found.of("th") if th["scope"] == "col"]
    assert {th.get("aria-sort") for th in headings} == {"none", "ascending", "descending", None}
    assert found.tags.count("button") == len([th for th in headings if "aria-sort" in th])
    assert all(button["type"] == "button" for button in found.of("button"))
    assert all(th["scope"] in ("col", "row") for th in found.of("th"))


def test_charts_say_in_words_what_they_show() -> None:
    found = page(content())
    charts = found.of("svg")
    assert len(charts) == 4  # of each factory one for a desk and one for a telephone
    assert {chart["role"] for chart in charts} == {"img"}
    assert charts[0]["aria-label"] == (
        "Orders a week of factory A. In the last known week, of 14 Nov, 309 were ordered."
        " Week of 28 Nov: P50 350, P10 280 to P90 525. Week of 5 Dec: P50 110, P10 88 to P90 165."
    )


def test_recipes_come_largest_first_and_ingredients_by_name_in_units_to_read() -> None:
    found = page(content())
    names = [name for name in found.words_in("th") if name.strip() in ("pie", "soup", "flour", "water")]
    assert [name.strip() for name in names[:4]] == ["soup", "pie", "flour", "water"]
    assert "soup orders 275 200 250 375" in found.text
    assert "pie Baked, British 110 80 100 150" in found.text
    assert "flour kg 13.8 10.0 12.5 18.8" in found.text
    assert "water ml 528 384 480 720" in found.text
    assert "1000" in [tr.get("data-k") for tr in found.of("tr")]


def test_without_an_earlier_publication_there_is_no_column_of_changes() -> None:
    found = page(content())
    assert "There is no publication of an earlier date, of the same data, to compare with." in found.text
    assert "Change of P50" not in found.text


def test_changes_are_differences_and_per_cent() -> None:
    before = previous(pie=80.0, soup=250.0, stew=4.0)
    before.rows[W1, "B", "recipe", "pie"] = 41.0
    found = page(content(previous=before))
    assert "Compared with the publication of 20 November 2026 (run before )" in found.text
    assert "4 of 5 rows changed, 1 row of before is gone." in found.text
    assert "Factory A 28 Nov 400 350 \u221250 (\u221212.5 %)" in found.text
    assert "pie Baked, British A 28 Nov 80 100 +20 (+25.0 %)" in found.text
    assert "soup orders 275 200 250 375 0 " in found.text
    assert "flour kg 13.8 10.0 12.5 18.8 new" in found.text
    assert "since 20 November 2026, in the same weeks \u221212.5 %" in found.text


def test_a_recipe_that_moved_in_many_places_is_listed_once() -> None:
    rows = [
        row(100.0 + n, "pie", week=week, factory=f) for n, (week, f) in enumerate([(W1, "A"), (W2, "A"), (W1, "B")])
    ]
    before = Previous("before", date(2026, 11, 20), {each.key: 50.0 for each in rows})
    text = page(content(rows, [], before)).text
    section = text[text.index("moved most") : text.index("Serves north")]
    assert section.count("Baked, British") == 1
    assert "B 28 Nov 50.0" not in section
    assert "B 28 Nov 50 102 +52 (+104 %)" in section


def test_weeks_that_were_not_forecast_before_are_not_compared() -> None:
    assert "0 of 1 row" not in page(content(previous=previous(pie=80.0))).text
    other = Previous("before", date(2026, 9, 20), {(date(2026, 9, 26), "A", "recipe", "pie"): 1.0})
    found = page(content(previous=other))
    assert "None of these weeks was forecast in the publication of 20 September 2026" in found.text
    assert "Change of P50" not in found.text


def test_nothing_changed_is_one_sentence() -> None:
    before = Previous("before", date(2026, 11, 20), {each.key: each.p50 for each in ROWS})
    found = page(content(previous=before))
    assert "Nothing: all 6 numbers of P50 are those of the publication of 20 November 2026" in found.text
    assert "moved most" not in found.text


def test_what_was_reused_says_from_where_and_why() -> None:
    text = page(content()).text
    assert "Factory A computed in this run" in text
    reused = "reused from run earlier-run of 18 November 2026: the pipeline does not compute it on a Friday"
    assert f"Factory B {reused}" in text


def test_what_was_replaced_stands_first_with_the_reason() -> None:
    volume = Replacement(component="order-volume", item="-", by="the forecast of run r0", why=NASTY)
    own = Replacement(component="network-configuration", item="A", by="the network of run r0", why="BadData: caps")
    networks = (content().networks[0].model_copy(update={"degraded": (volume, own)}), content().networks[1])
    found = page(replace(content(), degraded=(volume, own), networks=networks))
    assert found.problems == []
    assert found.text.index("Degraded.") < found.text.index("orders expected")
    assert f"order-volume : the forecast of run r0 instead. Why: {NASTY}" in found.text
    assert "network-configuration of A : the network of run r0 instead" in found.text
    assert "Factory A replaced by the network of run r0" in found.text
    assert "Degraded" not in page(content()).text


def test_a_factory_near_its_cap_is_marked() -> None:
    """The cap is 200 boxes of 3 orders, the P90 525 orders; then 150 boxes."""
    assert "525 (88 % of cap)" in page(content()).text
    assert not any(cell.get("class") == "n over" for cell in page(content()).of("td"))
    found = page(content(cap=150.0))
    assert "525 (117 % of cap)" in found.text
    assert any(cell.get("class") == "n over" for cell in found.of("td"))


def test_a_factory_without_needs_in_a_week_says_so() -> None:
    found = page(content())
    assert "Week of 5 December 2026 0 recipes, 0 ingredients Nothing is forecast for it." in found.text
    assert "no regions of its own" in found.text


def test_the_first_week_is_open() -> None:
    blocks = page(content()).of("details")
    assert [("open" in block) for block in blocks] == [True, False, True, False]


def test_long_histories_are_cut_for_the_chart() -> None:
    charts = re.findall(r"<svg.*?</svg>", render(content(history_weeks=145)).decode())
    assert [chart.count(" ordered</title>") for chart in charts[:2]] == [26, 12]


def test_a_plan_of_one_week_is_said_so() -> None:
    of = replace(content(rows=ROWS[:5], totals=TOTALS[:2]), plan=plan(weeks=(W1,)))
    found = page(of)
    assert "1 menu week, 28 November 2026 to 4 December 2026" in found.text
    assert found.problems == []
