"""What replicas do by themselves, side by side."""

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from contracts.pipelines import ORDER_SIMULATION
from contracts.schedule import Schedule
from orchestrator import scheduled
from orchestrator.aws import Aws
from orchestrator.cli import serve as commands
from orchestrator.service import serve
from orchestrator.service.chores import EVERY
from orchestrator.service.serve import Settings, app_of, pool_of
from orchestrator.start import start_run
from tests.behaviour.cli.typed import typed
from tests.behaviour.service.conftest import PREFIX, TOKEN, Ground

pytestmark = pytest.mark.usefixtures("no_runs")


def settings_of(ground: Ground, scheduled_style: str | None = "choreographed") -> Settings:
    return Settings(ground.variables["DATABASE_URL"], PREFIX, "127.0.0.1", 0, TOKEN, scheduled_style)


@pytest.fixture
def an_hour_ago(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """When the pipeline should have been started, while nobody was there."""
    missed = (datetime.now(UTC) - timedelta(hours=1)).replace(second=0, microsecond=0)
    schedule = Schedule(f"cron({missed.minute} {missed.hour} * * ? *)")
    changed = replace(ORDER_SIMULATION, schedule=schedule)
    monkeypatch.setattr(serve, "PIPELINES", (changed,))
    monkeypatch.setattr(commands, "pipeline_named", lambda name: changed)
    query = "INSERT INTO schedules VALUES (%s, %s, now() - interval '1 day')"
    ground.connection.execute(query, (ORDER_SIMULATION.name, schedule.expression))
    yield missed
    ground.connection.execute("TRUNCATE schedules")


@retry(retry=retry_if_result(lambda found: not found), wait=wait_fixed(0.1), stop=stop_after_delay(30))
def until(ground: Ground, query: str) -> list[dict[str, object]]:
    return ground.rows(query)


@pytest.fixture
def both_look_again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Waits until each of two replicas has looked twice for what is due: once at least from now to its end."""
    looks: Counter[int] = Counter()

    def start_due(aws: Aws, *others: Any) -> list[str]:
        started = scheduled.start_due(aws, *others)
        looks[id(aws)] += 1  # each replica has one
        return started

    def wait() -> None:
        looks.clear()
        again = retry(retry=retry_if_result(operator.not_), wait=wait_fixed(0.1), stop=stop_after_delay(6 * EVERY))
        again(lambda: len(looks) == 2 and min(looks.values()) >= 2)()

    monkeypatch.setattr(serve, "start_due", start_due)
    return wait


def test_replicas_start_a_scheduled_run_once(
    ground: Ground, an_hour_ago: datetime, both_look_again: Callable[[], None]
) -> None:
    with ExitStack() as replicas:
        for _ in range(2):
            pool = replicas.enter_context(pool_of(ground.variables["DATABASE_URL"]))
            replicas.enter_context(TestClient(app_of(settings_of(ground), pool)))
        (run,) = until(ground, "SELECT date, style, status FROM runs")
        both_look_again()
    assert run == {"date": an_hour_ago.date(), "style": "choreographed", "status": "RUNNING"}
    assert ground.rows("SELECT count(*) AS runs FROM runs") == [{"runs": 1}]


def test_a_scheduler_of_the_users_and_a_replica_start_one_run(
    ground: Ground, an_hour_ago: datetime, both_look_again: Callable[[], None]
) -> None:
    """Whoever comes second finds it."""

    def told() -> str:
        done = typed("start-due", "order-simulation", "--style", "choreographed", env=ground.variables)
        assert done.returncode == 0, done.stderr
        return done.stderr.strip()

    first = told()
    (run,) = ground.rows("SELECT run_id, date FROM runs")
    assert first == f"started {run['run_id']}"
    assert run["date"] == an_hour_ago.date()
    assert told() == "nothing of order-simulation is due, or it is started already"
    with ExitStack() as replicas:
        for _ in range(2):
            pool = replicas.enter_context(pool_of(ground.variables["DATABASE_URL"]))
            replicas.enter_context(TestClient(app_of(settings_of(ground), pool)))
        both_look_again()
    assert ground.rows("SELECT run_id FROM runs") == [{"run_id": run["run_id"]}]


def test_a_replica_without_schedules_starts_nothing(ground: Ground, an_hour_ago: datetime) -> None:
    """It fails what is overdue, which it does first."""
    started = start_run(ground.aws, ground.connection, ground.deployment, ORDER_SIMULATION, "choreographed", TODAY, {})
    ground.connection.execute("UPDATE runs SET deadline = now() - interval '2 minutes'")
    with pool_of(ground.variables["DATABASE_URL"]) as pool, TestClient(app_of(settings_of(ground, None), pool)):
        (run,) = until(ground, "SELECT run_id, cause FROM runs WHERE status = 'FAILED'")
    cause = "the deadline has passed; missing: configurator/- (ready)"
    assert run == {"run_id": started.run_id, "cause": cause}
    assert ground.rows("SELECT count(*) AS runs FROM runs") == [{"runs": 1}]


TODAY = datetime(2026, 11, 25, tzinfo=UTC).date()
