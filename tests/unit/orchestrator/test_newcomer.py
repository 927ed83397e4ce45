"""What a newcomer types wrong is answered in words that say what to type."""

from datetime import date

import pytest
from typer.testing import CliRunner

from contracts.errors import BadRequest
from orchestrator.cli.app import app
from orchestrator.cli.dates import day_of


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
