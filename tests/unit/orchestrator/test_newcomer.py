"""What a newcomer types wrong is answered in words that say what to type."""

import re
from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from contracts.errors import BadRequest
from orchestrator.cli.app import app
from orchestrator.cli.dates import day_of
from orchestrator.cli.session import WIDE, piped_width
from orchestrator.cli.stack import what_stopped
from orchestrator.database import connect, reason_of

DATA = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.mark.parametrize("text", ["25.11.2026", "2026-02-30", "", "2026-11-25T00:00"])
@pytest.mark.parametrize("command", [("run", "order-simulation", "--date"), ("sample", "--ending")])
def test_a_wrong_date_is_answered_with_a_right_one(command: tuple[str, ...], text: str) -> None:
    error = CliRunner().invoke(app, [*command, text]).exception
    assert isinstance(error, BadRequest)
    assert str(error) == f"'{text}' is no date: write a date like 2026-11-25"


def test_a_date() -> None:
    assert day_of("2026-11-25") == date(2026, 11, 25)


@pytest.mark.parametrize("command", ["run", "load", "sample"])
def test_help_shows_no_format_codes(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    assert "DATE" in shown
    assert "%Y" not in shown


def test_no_database_is_one_sentence() -> None:
    with pytest.raises(BadRequest) as raised:
        connect("postgresql://me:hunter2@127.0.0.1:1/none")
    told = str(raised.value)
    assert "onnection refused; check DATABASE_URL" in told
    assert not re.search(r"  |\?|\n|hunter2", told)


def test_a_reason_keeps_its_first_half_and_no_password() -> None:
    error = psycopg.OperationalError("no door at x://me:hunter2@h: shut\n\tIs the server running locally?\n")
    assert reason_of(error) == "no door at x://me:***@h: shut"
    assert reason_of(psycopg.OperationalError("")) == "OperationalError"


def test_the_documentation_and_the_command_agree_on_the_length_of_a_sample() -> None:
    def bound(weeks: int) -> str:
        told = CliRunner().invoke(app, ["sample", "--weeks", str(weeks)]).output
        found = re.search(r"than or equal to (\d+)", told)
        assert found, told
        return found[1]

    assert f"N weeks ({bound(0)} to {bound(99_999)}) up" in DATA.read_text(encoding="utf-8")


def test_down_says_that_published_files_are_gone() -> None:
    """Who goes on the next day looks for yesterday's forecast."""
    gone = "LocalStack's files are gone, published forecasts among them; the database stays"
    assert what_stopped(["localstack", "postgres"]) == f"stopped localstack, postgres\n{gone}"
    assert what_stopped(["postgres"]) == "stopped postgres"
    assert what_stopped([]) == "nothing was running"


def test_a_seed_is_not_negative() -> None:
    done = CliRunner().invoke(app, ["sample", "--seed", "-1"])
    assert done.exit_code == 2


def test_one_component_has_one_flag() -> None:
    flags = ["--flag", "order-simulator=v1", "--flag", "order-simulator=v2"]
    error = CliRunner().invoke(app, ["run", "order-simulation", "--date", "2026-11-25", *flags]).exception
    assert isinstance(error, BadRequest)
    assert str(error) == "--flag order-simulator: v1 and v2 cannot both run: give one of them"


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("0", WIDE), ("", WIDE), ("wide", WIDE)])
def test_a_piped_table_is_as_wide_as_columns_says(columns: str, width: int) -> None:
    assert piped_width({"COLUMNS": columns}) == width
    assert piped_width({}) == WIDE
