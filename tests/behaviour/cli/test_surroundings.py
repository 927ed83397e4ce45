"""A stack that is missing, unreachable or not ready is one clear line and an exit code, whatever was asked."""

import json
import uuid
from datetime import date
from pathlib import Path

import pytest

from orchestrator.database import connect, fetch_all, make_tables
from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.conftest import Brigade, environment
from tests.behaviour.cli.typed import error_line, spawned
from tests.unit.data.files import ORDERS, long_format

RUN = ("run", "order-simulation", "--date", "2026-11-25")
NOBODY = "http://127.0.0.1:1"
NO_DATABASE = "postgresql://postgres@127.0.0.1:1/postgres"

ON_THE_DATABASE = [RUN, ("runs",), ("history", "r1"), ("logs", "r1"), ("sample", "--weeks", "2"), ("deploy",)]
ON_AWS = [RUN, ("deploy",), ("worker", "publisher")]


def named(command: tuple[str, ...]) -> str:
    return command[0]


@pytest.fixture
def settings(stack: Endpoints, database_url: str) -> dict[str, str]:
    """A good stack with nothing in it."""
    variables = stack.environment() | {"DATABASE_URL": database_url}
    return variables | {"AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}"}


@pytest.mark.parametrize("command", [*ON_THE_DATABASE, ("worker", "publisher")], ids=named)
def test_no_stack(brigade: Brigade, command: tuple[str, ...]) -> None:
    done = brigade(*command)
    assert done.returncode == 2
    assert "run `brigade up` first, or set AWS_ENDPOINT_URL" in error_line(done)
    assert done.stdout == ""


@pytest.mark.parametrize("command", ON_THE_DATABASE, ids=named)
def test_no_database(brigade: Brigade, settings: dict[str, str], command: tuple[str, ...]) -> None:
    done = brigade(*command, **settings | {"DATABASE_URL": NO_DATABASE})
    assert done.returncode == 2
    assert error_line(done).startswith("no connection to the database: ")
    assert error_line(done).endswith("; check DATABASE_URL, or run `brigade up`")
    assert done.stdout == ""


def test_a_database_url_that_is_none(brigade: Brigade, settings: dict[str, str]) -> None:
    done = brigade("runs", **settings | {"DATABASE_URL": "http://example.org"})
    assert done.returncode == 2
    assert error_line(done).endswith("; check DATABASE_URL, or run `brigade up`")


def test_a_password_is_not_repeated(brigade: Brigade, settings: dict[str, str]) -> None:
    done = brigade("runs", **settings | {"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/postgres"})
    assert done.returncode == 2
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", [("runs",), ("history", "r1"), ("logs", "r1")], ids=named)
def test_a_database_without_tables(brigade: Brigade, settings: dict[str, str], command: tuple[str, ...]) -> None:
    done = brigade(*command, **settings)
    assert done.returncode == 2
    assert error_line(done) == "the database has no tables yet: run `brigade deploy` (or `brigade up`) first"


@pytest.mark.parametrize("command", ON_AWS, ids=named)
def test_an_endpoint_that_does_not_answer(brigade: Brigade, settings: dict[str, str], command: tuple[str, ...]) -> None:
    with connect(settings["DATABASE_URL"]) as connection:
        make_tables(connection)
    done = brigade(*command, **settings | {"AWS_ENDPOINT_URL": NOBODY})
    assert done.returncode == 1
    assert error_line(done).startswith(f"no answer from {NOBODY}: ")
    assert error_line(done).endswith("; check AWS_ENDPOINT_URL, or run `brigade up`")
    with connect(settings["DATABASE_URL"]) as connection:
        assert fetch_all(connection, "SELECT run_id FROM runs") == []


@pytest.mark.parametrize("command", [RUN, ("worker", "publisher")], ids=named)
def test_nothing_deployed(brigade: Brigade, settings: dict[str, str], command: tuple[str, ...]) -> None:
    with connect(settings["DATABASE_URL"]) as connection:
        make_tables(connection)
    done = brigade(*command, **settings)
    assert done.returncode == 2
    assert error_line(done) == "nothing is deployed under the prefix 'brigade': run `brigade deploy` first"


def test_a_prefix_that_is_none(brigade: Brigade, settings: dict[str, str]) -> None:
    done = brigade("deploy", **settings, BRIGADE_PREFIX="My Kitchen")
    assert done.returncode == 2
    assert error_line(done).startswith("'My Kitchen' is no prefix: ")


def test_no_credentials(brigade: Brigade, settings: dict[str, str]) -> None:
    without = {name: value for name, value in settings.items() if not name.startswith("AWS_ACCESS")}
    without |= {"AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_CONFIG_FILE": "/nowhere"}
    done = brigade("deploy", **without)
    assert done.returncode == 1
    assert "credentials" in error_line(done)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("graph", "supper"), "unknown pipeline 'supper': there is order-simulation"),
        (("run", "supper", "--date", "2026-11-25"), "unknown pipeline 'supper': there is order-simulation"),
        (("worker", "oven"), "unknown component 'oven': there is configurator, data-extractor, order-volume, "),
        (("worker", "publisher", "--version", "v9"), "publisher has no version 'v9': choose v1"),
        ((*RUN, "--style", "improvised"), "unknown style 'improvised': choose orchestrated or choreographed"),
        ((*RUN, "--flag", "publisher=v2"), "unknown flag 'publisher': "),
        ((*RUN, "--flag", "order-simulator"), "--flag order-simulator: write COMPONENT=VERSION"),
    ],
)
def test_what_is_asked_wrongly_needs_no_stack_to_be_said(
    brigade: Brigade, command: tuple[str, ...], reason: str
) -> None:
    done = brigade(*command)
    assert done.returncode == 2
    assert error_line(done).startswith(reason)
    assert done.stdout == ""


def test_debug_shows_the_traceback(settings: dict[str, str], tmp_path: Path) -> None:
    env = environment(BRIGADE_HOME=str(tmp_path)) | settings | {"DATABASE_URL": NO_DATABASE}
    done = spawned("--debug", "runs", env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.splitlines()[-1].startswith("contracts.errors.BadRequest: no connection to the database: ")


def test_a_sample_fills_an_empty_database(brigade: Brigade, settings: dict[str, str]) -> None:
    """Data may come before anything is deployed."""
    done = brigade("sample", "--weeks", "4", "--seed", "7", "--ending", "2026-11-20", "--json", **settings)
    assert done.returncode == 0
    assert json.loads(done.stdout)["last_week"] == "2026-11-14"
    with connect(settings["DATABASE_URL"]) as connection:
        assert fetch_all(connection, "SELECT last_week FROM history") == [{"last_week": date(2026, 11, 14)}]


def test_a_sample_that_cannot_be_made_leaves_what_was_there(brigade: Brigade, settings: dict[str, str]) -> None:
    brigade("sample", "--weeks", "4", "--ending", "2026-11-20", **settings)
    done = brigade("sample", "--weeks", "4", "--ending", "2026-11-19", **settings)
    assert done.returncode == 2
    assert "Friday" in error_line(done)
    with connect(settings["DATABASE_URL"]) as connection:
        assert fetch_all(connection, "SELECT count(DISTINCT starts) AS weeks FROM orders") == [{"weeks": 4}]


def weeks_loaded(settings: dict[str, str]) -> list[int]:
    with connect(settings["DATABASE_URL"]) as connection:
        return [
            row["weeks"] for row in fetch_all(connection, "SELECT count(DISTINCT starts)::int AS weeks FROM orders")
        ]


def test_a_history_is_not_replaced_by_what_few_good_rows_are_left(
    brigade: Brigade, settings: dict[str, str], tmp_path: Path
) -> None:
    file = long_format(tmp_path, ORDERS + "2026-11-07,mill,Stew,1,,,,\n")
    load = ("load", str(file), "--rejects", str(tmp_path / "bad.csv"))
    first = brigade(*load, **settings)
    assert first.returncode == 0, first.stderr  # There was nothing to lose.
    brigade("sample", "--weeks", "4", "--ending", "2026-11-20", **settings)

    refused = brigade(*load, **settings)
    assert refused.returncode == 1
    assert error_line(refused) == (
        "nothing was loaded: 1 bad row beside 2 good orders would replace the history of menu weeks 2026-10-24 to "
        f"2026-11-14. Correct what {tmp_path / 'bad.csv'} lists, add the good rows with --append, or replace it all the "
        "same with --replace-anyway"
    )
    assert weeks_loaded(settings) == [4]
    added = brigade(*load, "--append", **settings)
    assert added.returncode == 0, added.stderr
    assert weeks_loaded(settings) == [4]
    replaced = brigade(*load, "--replace-anyway", **settings)
    assert replaced.returncode == 0, replaced.stderr
    assert weeks_loaded(settings) == [2]


def test_factories_that_fridays_and_mondays_never_compute_are_told(
    brigade: Brigade, settings: dict[str, str], tmp_path: Path
) -> None:
    factories = "factory,weekly_cap,regions\nA,100,north|coast\nBasin,50.5,south\n"
    done = brigade("load", str(long_format(tmp_path, factories=factories)), **settings)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("warning: no factory is named B: ")]
    assert "named A" not in done.stderr


def test_a_backtest_needs_a_database_only(brigade: Brigade, settings: dict[str, str]) -> None:
    database = {"DATABASE_URL": settings["DATABASE_URL"]}
    brigade("sample", "--weeks", "12", "--ending", "2026-11-20", **settings)
    done = brigade("backtest", "order-volume", "--origins", "1", "--json", **database)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["weeks_loaded"] == 12


def test_a_backtest_without_a_database_says_how_to_have_one(brigade: Brigade) -> None:
    done = brigade("backtest", "order-volume", AWS_ENDPOINT_URL=NOBODY)
    assert done.returncode == 2
    assert error_line(done).endswith(": run `brigade up` first, or set DATABASE_URL")
    assert done.stdout == ""


def test_nothing_to_stop(brigade: Brigade) -> None:
    done = brigade("down")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing was running\n"


def test_nothing_to_see(brigade: Brigade) -> None:
    done = brigade("status")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing is running: `brigade up` starts it\n"
