"""Dates on the command line."""

from datetime import date, datetime

from contracts.errors import BadRequest


def day_of(text: str) -> date:
    """The day written as 2026-11-25. Raises BadRequest for anything else, and for days that no month has."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, in no time zone
    except ValueError:
        raise BadRequest(f"'{text}' is no date: write a date like 2026-11-25") from None
