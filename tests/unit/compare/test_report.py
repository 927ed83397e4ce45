"""From a recording to results.json and report.html: every number has its row, and the same runs give the same bytes."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.compare.analysis import analyse
from orchestrator.compare.recorded import Recording, append_run, write_head
from orchestrator.compare.report import REFERENCE, amount, render
from orchestrator.compare.results import Results, Row, write_results
from orchestrator.compare.tables import MEASURES, tables
from orchestrator.compare.verdict import verdict
from orchestrator.render import FOLDER
from tests.unit.compare.recordings import STYLES, recording

GRID = ((1, 0.01), (1, 10.0), (1, 7_200.0), (50, 0.01))


@pytest.fixture(scope="module")
def results() -> Results:
    return analyse(recording(), lambda _: None, GRID)


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return render(results).decode()


class Numbers(HTMLParser):
    """The value of each number on a page, with its row's id."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, float]] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "data":
            self.found.append((str(given["data-row"]), float(str(given["value"]))))


def test_every_number_of_the_report_is_a_row_of_the_results(results: Results, page: str) -> None:
    shown = Numbers()
    shown.feed(page)
    rows = {row.id: row.value for row in results.rows}
    assert len(shown.found) > 150
    assert [(name, value) for name, value in shown.found if rows.get(name) != value] == []


def test_a_row_has_an_id_of_its_own(results: Results) -> None:
    assert len({row.id for row in results.rows}) == len(results.rows)


def test_no_number_is_written_into_the_verdict(results: Results) -> None:
    """But those of the question: how many runs at once, how long a step, how fast the clocks."""
    asked = r"100 USD a month|10,000 such|takes (10 ms|2 h)|ran 225 times|15%|1,000 runs|[Aa] thousand"
    for sentence in (*results.verdict, *results.break_evens, results.checked):
        assert not re.search(r"\d", re.sub(asked, "", REFERENCE.sub("", sentence))), sentence


def test_the_results_are_as_the_published_schema_says(results: Results, tmp_path: Path) -> None:
    schema = json.loads((FOLDER / "compare-results.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = json.loads(write_results(tmp_path, results).read_text(encoding="utf-8"))
    validator.validate(document)
    del document["rows"][0]["unit"]
    assert not validator.is_valid(document)


def test_the_same_recording_gives_the_same_bytes(results: Results, page: str) -> None:
    again = analyse(recording(), lambda _: None, GRID)
    assert again == results
    assert render(again).decode() == page


def test_another_recording_does_not(page: str) -> None:
    assert render(analyse(recording(seed=8), lambda _: None, GRID)).decode() != page


def test_the_report_loads_nothing(page: str) -> None:
    assert re.findall(r"""(?:src|href)=["'](?!#|data:,)[^"']*""", re.sub(r"<a [^>]*>", "", page)) == []
    assert re.findall(r"url\((?!#)", page) == []
    assert "<script" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_plots_take_their_colours_from_the_page(page: str) -> None:
    plots = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert plots.count("<svg") == 10
    assert set(re.findall(r"#[0-9a-f]{6}\b", plots)) <= {"#000000"}
    known = set(re.findall(r"(--[a-z]+):", page))
    assert set(re.findall(r"var\((--[a-z]+)\)", plots)) <= known


def test_an_id_is_on_the_page_once(page: str) -> None:
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_verdict_says_who_published_stale_forecasts(results: Results) -> None:
    assert "scheduled published stale forecasts" in results.verdict[0]
    assert results.verdict[1].startswith(
        "Of [[runs/scheduled]] runs scheduled published [[outcome.stale/scheduled]] from stale"
    )
    values = {row.id: row.value for row in results.rows}
    assert (values["outcome.stale/scheduled"], values["unseen/scheduled"]) == (1, 1)
    assert values["outcome.stale/choreographed"] == values["outcome.stale/orchestrated"] == 0


def test_the_verdict_of_runs_that_do_not_differ_claims_nothing(results: Results) -> None:
    alike = Row(id="wall.more/orchestrated/choreographed", unit="s", n=6, value=0.1, low=-0.2, high=0.3)
    rows = [alike if row.id == alike.id else row for row in results.rows]
    said = " ".join(verdict(results.about, rows))
    assert "do not tell whether orchestrated is slower" in said


def test_one_run_of_one_style_makes_a_report() -> None:
    one = recording(runs=4)
    only = tuple(run for run in one.runs if run.style == "choreographed")[3:]
    alone = Recording(head=one.head.model_copy(update={"styles": ("choreographed",), "runs": 1}), runs=only)
    found = analyse(alone, lambda _: None, GRID)
    assert b"is not checked" in render(found)


def test_runs_that_all_failed_make_a_report() -> None:
    spoilt = recording(runs=3)
    failed = tuple(run for run in spoilt.runs if run.status == "FAILED")
    found = analyse(Recording(head=spoilt.head, runs=failed), lambda _: None, GRID)
    assert {row.value for row in found.rows if row.id.startswith("outcome.failed/") and row.id.count("/") == 1} == {1}
    render(found)


def test_warm_ups_do_not_count() -> None:
    made = recording()
    warm = made.runs[0].model_copy(update={"warm_up": True, "number": 99, "seconds": 999.0})
    with_warm = Recording(head=made.head, runs=(warm, *made.runs))
    assert analyse(with_warm, lambda _: None, GRID) == analyse(made, lambda _: None, GRID)


def test_each_repetition_is_told_with_its_fault_and_how_every_style_ended(page: str) -> None:
    told = re.findall(r'<tr><th scope="row">([^<]+)</th>((?:<td class="[a-z]+">[a-z]+</td>){3})', page)
    assert [broken for broken, _ in told][:4] == [
        "database down",
        "kill -9 in the handler, chaos-server",
        "handler raises permanently, chaos-planner",
        "nothing",
    ]
    assert re.findall(">([a-z]+)<", told[0][1]) == ["stale", "succeeded", "succeeded"]


@pytest.mark.parametrize("name", MEASURES)
def test_no_measure_of_a_table_is_without_a_row(results: Results, name: str) -> None:
    assert [label for label, _ in tables(results)[name].lines] == list(MEASURES[name][1])


def test_controls_count_for_times_and_not_for_outcomes() -> None:
    made = recording()
    controls = tuple(run.model_copy(update={"control": True, "number": run.number + 100}) for run in made.runs[9:12])
    values, more = (
        {row.id: row.value for row in analyse(found, lambda _: None, GRID).rows}
        for found in (made, Recording(head=made.head, runs=(*made.runs, *controls)))
    )
    assert more["runs/scheduled"] == values["runs/scheduled"]
    assert more["calm/scheduled"] == values["calm/scheduled"] + 1


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0001234, "s", "0.12 ms"),
        (0.0456, "s", "46 ms"),
        (3.14159, "s", "3.14 s"),
        (61.234, "s", "61.2 s"),
        (7200.0, "s", "120.0 min"),
        (86_400.0, "s", "24.0 h"),
        (-1.5, "s", "-1.50 s"),
        (0.0216, "share", "2.2%"),
        (0.00042, "USD", "0.0004 USD"),
        (12.3456, "USD a month", "12.35 USD a month"),
        (3.0, "runs", "3"),
        (2.5, "a run", "2.5"),
        (211_640.2, "runs a month", "211,640 runs a month"),
        (9_000.0, "bytes", "9.0 kB"),
    ],
)
def test_an_amount_is_shown_as_people_read_it(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    made = recording(runs=4)
    write_head(tmp_path, made.head)
    for run in made.runs:
        append_run(tmp_path, run)
    return tmp_path


def test_the_command_makes_both_files_again(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.compare.on_aws.GRID", GRID)
    first = CliRunner().invoke(app, ["compare", "report", str(recorded), "--json"])
    assert first.exit_code == 0, first.output
    bytes_of = {name: (recorded / name).read_bytes() for name in ("results.json", "report.html")}
    assert json.loads(first.stdout)["rows"] == len(json.loads(bytes_of["results.json"])["rows"])
    for name in bytes_of:
        (recorded / name).unlink()
    assert CliRunner().invoke(app, ["compare", "report", str(recorded)]).exit_code == 0
    assert {name: (recorded / name).read_bytes() for name in bytes_of} == bytes_of


def test_without_a_measured_run_the_command_says_what_to_do(recorded: Path) -> None:
    (recorded / "runs.jsonl").write_text("", encoding="utf-8")
    found = CliRunner().invoke(app, ["compare", "report", str(recorded)])
    assert "no measured run: `brigade compare` makes some" in str(found.exception)


def test_styles_of_the_recording_are_those_of_the_report(results: Results) -> None:
    assert results.about.styles == STYLES
