"""Processes that outlive their starter: found again, waited for, stopped with their descendants."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import (
    NotReady,
    ProcessRecord,
    StackFailed,
    find_record,
    is_alive,
    read_records,
    start_process,
    stop_process,
    stop_processes,
    wait_until_ready,
)
from tests.support.processes import has_ended

READY = "print('ready', flush=True); "
WAIT = READY + "import signal; signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF!r}]); "


def start(home: Home, code: str, name: str = "worker", env: Mapping[str, str] | None = None) -> ProcessRecord:
    return start_process(home, name, (sys.executable, "-c", code), {"PYTHONUNBUFFERED": "1", **(env or {})})


def wait_for_output(record: ProcessRecord, times: int = 1) -> None:
    def probe() -> None:
        if record.log.read_text().count("ready") < times:
            raise NotReady("it has not said so")

    wait_until_ready(record, probe, timeout=20)


def wait_for_end(record: ProcessRecord) -> None:
    psutil.Process(record.pid).wait(20)


@pytest.fixture
def made(home: Home) -> Home:
    home.create()
    return home


def test_a_process_is_found_again_by_name(made: Home) -> None:
    first, second = start(made, WAIT, "b"), start(made, WAIT, "a")
    assert read_records(made) == (second, first)
    assert find_record(made, "b") == first
    assert find_record(made, "c") is None
    assert is_alive(first)
    assert is_alive(second)


def test_a_process_gets_its_environment_alone(made: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    record = start(made, "import os; print(sorted(os.environ)); " + READY, env={"GIVEN": "1"})
    wait_for_end(record)
    names = record.log.read_text()
    assert "'BRIGADE_PROCESS'" in names
    assert "'GIVEN'" in names
    assert "SECRET" not in names


def test_logs_are_kept_from_one_start_to_the_next(made: Home) -> None:
    for _ in range(2):
        wait_for_end(start(made, READY))
    assert (made.logs / "worker.log").read_text().count("ready") == 2


def test_stopping_a_process_asks_it_to_end_and_removes_its_record(made: Home) -> None:
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye'))); " + WAIT
    record = start(made, code)
    wait_for_output(record)
    stop_process(record)
    assert not psutil.pid_exists(record.pid)
    assert read_records(made) == ()
    assert "bye" in record.log.read_text()


def test_several_processes_stop_in_the_time_of_the_slowest(made: Home) -> None:
    records = [start(made, DEAF, f"worker-{number}") for number in range(8)]
    for record in records:
        wait_for_output(record)
    before = time.monotonic()
    stop_processes(records, grace=1)
    assert time.monotonic() - before < 6
    assert not any(is_alive(record) for record in records)
    assert read_records(made) == ()


def test_a_process_that_does_not_listen_is_killed(made: Home) -> None:
    record = start(made, DEAF)
    wait_for_output(record)
    stop_process(record, grace=0.2)
    assert not psutil.pid_exists(record.pid)


def test_descendants_are_stopped_with_their_parent(made: Home) -> None:
    record = start(made, PARENT + WAIT)
    wait_for_output(record, times=2)
    (child,) = psutil.Process(record.pid).children()
    stop_process(record, grace=0.2)
    assert has_ended(child)
    assert not psutil.pid_exists(record.pid)


def test_descendants_of_a_process_that_is_gone_are_stopped(made: Home) -> None:
    record = start(made, PARENT + WAIT)
    wait_for_output(record, times=2)
    (child,) = psutil.Process(record.pid).children()
    psutil.Process(record.pid).kill()
    wait_for_end(record)
    assert child.is_running()
    stop_process(record, grace=0.2)
    assert has_ended(child)


def test_a_pid_given_to_another_process_is_left_alone(made: Home) -> None:
    with subprocess.Popen((sys.executable, "-c", WAIT), stdout=subprocess.DEVNULL) as stranger:
        ours = start(made, READY)
        wait_for_end(ours)
        record = ours.model_copy(update={"pid": stranger.pid, "started": ours.started - 3600})
        assert not is_alive(record)
        stop_process(record, grace=0.2)
        assert stranger.poll() is None
        stranger.kill()
    assert read_records(made) == ()


def test_a_process_that_ended_but_was_not_waited_for_is_not_alive(made: Home) -> None:
    record = start(made, READY)

    def probe() -> None:
        raise NotReady

    with pytest.raises(StackFailed, match="worker ended while it started"):
        wait_until_ready(record, probe, timeout=20)
    assert psutil.Process(record.pid).status() == psutil.STATUS_ZOMBIE
    stop_process(record)
    assert not psutil.pid_exists(record.pid)


def test_a_process_that_ends_while_it_starts_shows_the_end_of_its_log(made: Home) -> None:
    record = start(made, "for line in range(40): print('line', line)\nraise SystemExit('no room')")
    with pytest.raises(StackFailed) as caught:
        wait_until_ready(record, lambda: wait_for_output(record), timeout=20)
    message = str(caught.value)
    assert str(record.log) in message
    assert message.endswith("  no room")
    assert "  line 39" in message
    assert "line 20\n" not in message


def test_what_another_one_wrote_before_it_is_not_its_end(made: Home) -> None:
    """Both have one name, and so one log."""
    before = start(made, "raise SystemExit('of before')")
    wait_for_end(before)
    record = start(made, "raise SystemExit('no room')")
    with pytest.raises(StackFailed) as caught:
        wait_until_ready(record, lambda: wait_for_output(record), timeout=20)
    assert str(caught.value).endswith("ends:\n  no room")


def test_a_process_that_is_never_ready_is_reported(made: Home) -> None:
    record = start(made, WAIT)

    def probe() -> None:
        raise NotReady("it says 503")

    with pytest.raises(StackFailed, match=r"worker was not ready within 0\.3 s \(it says 503\)"):
        wait_until_ready(record, probe, timeout=0.3)


def test_a_program_that_is_not_there_is_reported(made: Home) -> None:
    with pytest.raises(StackFailed, match=r"cannot start worker \(/no/such\): No such file"):
        start_process(made, "worker", ("/no/such",), {})
    assert read_records(made) == ()


def test_a_record_is_never_seen_half_written(made: Home, tmp_path: Path) -> None:
    record = start(made, WAIT)
    assert [path.name for path in made.records.iterdir()] == ["worker.json"]
    assert ProcessRecord.model_validate_json(record.path.read_bytes()) == record
