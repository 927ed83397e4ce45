"""docs/comparison.md says what docs/comparison.json, the results it rests on, has: each line of a table names its row."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator.compare.report import shown
from orchestrator.compare.results import Row
from orchestrator.render import FOLDER
from tests.unit.compare.recordings import STYLES

DOCS = Path(__file__).parents[3] / "docs"
LINE = re.compile(r"^\|.*?((?:\|[^|]*){3})\| `([^`]*\{\}[^`]*)` \|$", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    document = json.loads((DOCS / "comparison.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads((FOLDER / "compare-results.schema.json").read_text(encoding="utf-8"))).validate(
        document
    )
    return {row["id"]: Row(**row) for row in document["rows"]}


def said(row: Row | None) -> str:
    return re.sub("<[^>]+>", "", shown(row)) if row else ""


def test_every_line_of_a_table_is_as_its_row_says(rows: dict[str, Row]) -> None:
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    lines = [([cell.strip() for cell in cells[1:].split("|")], name) for cells, name in LINE.findall(page)]
    assert len(lines) > 25
    for cells, name in lines:
        assert cells == [said(rows.get(name.replace("{}", style))) for style in STYLES], name


def test_every_number_in_its_sentences_is_a_row(rows: dict[str, Row]) -> None:
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    named = re.findall(r"([^()`]*)\(`([^`{}]+)`\)", page)
    assert len(named) > 5
    for before, name in named:
        value = re.sub(r" \(.*", "", said(rows[name]))
        assert re.search(rf"(?<![\d.,]){re.escape(value)}(?![\d.,]*\d)", " ".join(before.split())), (name, value)
