"""A real LocalStack and a real PostgreSQL, as `brigade up` starts them."""

import os
import signal
import subprocess

import boto3
import psutil
import psycopg
import pytest

from orchestrator.embedded import localstack, postgres
from orchestrator.embedded.environment import prepare_localstack
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import ProcessRecord, find_record, read_records
from orchestrator.embedded.stack import Endpoints, start, status, stop
from tests.support.processes import has_ended


@pytest.fixture(autouse=True)
def no_overrides(stack: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the embedded stack, whatever the session uses."""
    for name in ("AWS_ENDPOINT_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_session_stack_answers(stack: Endpoints, aws: str, database_url: str) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="hello")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "hello"
    assert queue.startswith(aws)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_another_account_sees_nothing_of_it(stack: Endpoints, aws: str) -> None:
    boto3.client("sqs").create_queue(QueueName="mine")
    elsewhere = boto3.client("sqs", aws_access_key_id="000000000001", aws_secret_access_key="x")
    assert "QueueUrls" not in elsewhere.list_queues(QueueNamePrefix="mine")


def test_a_stack_lives_from_start_to_stop(home: Home) -> None:
    endpoints = start(home)
    records = read_records(home)
    assert [record.name for record in records] == [localstack.NAME, postgres.NAME]
    assert status(home).endpoints == endpoints
    assert status(home).running

    assert listening(records) == {("127.0.0.1", int(endpoints.aws_endpoint_url.rpartition(":")[2]))}

    assert start(home) == endpoints
    assert read_records(home) == records

    with psycopg.connect(endpoints.database_url) as connection:
        connection.execute("CREATE TABLE kept (x int)")
        for setting, value in (("max_connections", "200"), ("fsync", "on"), ("timezone", "UTC")):
            assert connection.execute(f"SHOW {setting}").fetchone() == (value,)

    family = [process for record in records for process in family_of(record)]
    assert len(family) > 2
    client = psycopg.connect(endpoints.database_url)
    stop(home)
    client.close()
    assert [process for process in family if not has_ended(process)] == []
    assert read_records(home) == ()
    assert left_in(home) == []
    assert status(home).endpoints is None

    with psycopg.connect(start(home).database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_parts_that_were_killed_are_started_again(home: Home) -> None:
    before = start(home)
    with psycopg.connect(before.database_url) as connection:
        connection.execute("CREATE TABLE kept (x int)")
    for record in read_records(home):
        os.kill(record.pid, signal.SIGKILL)
        psutil.Process(record.pid).wait(20)
    assert not status(home).running
    after = start(home)
    assert after.database_url == before.database_url
    with psycopg.connect(after.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_one_part_may_be_elsewhere(home: Home, stack: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.aws_endpoint_url)
    assert start(home).aws_endpoint_url == stack.aws_endpoint_url
    assert [record.name for record in read_records(home)] == [postgres.NAME]


def test_everything_localstack_writes_is_in_the_home(home: Home) -> None:
    start(home)
    record = find_record(home, localstack.NAME)
    assert record is not None
    open_files = [file.path for file in psutil.Process(record.pid).open_files()]
    assert [path for path in open_files if not path.startswith((str(home.path), str(prepare_localstack())))] == []
    assert (home.localstack / "files").is_dir()


def test_localstack_parses_each_path_once() -> None:
    code = (
        f"import runpy; runpy.run_path({str(localstack.MAIN)!r})['parse_paths_once'](); "
        "from localstack.services.stepfunctions.asl.utils import json_path; "
        "from localstack.services.stepfunctions.asl.component.common.path import result_path; "
        "print(all(m.parse('$.a') is m.parse('$.a') for m in (json_path, result_path)))"
    )
    argv = (prepare_localstack() / "bin" / "python", "-I", "-c", code)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_the_programs_run_from_a_copy(home: Home) -> None:
    home.create()
    package = postgres.find_programs(home, None).parents[1]
    postgres.copy_open(package, home.path / "copy")
    copied = home.path / "copy" / postgres.PACKAGE / "pginstall18" / "bin"
    postgres.initialise(home, copied, postgres.UNPRIVILEGED if os.getuid() == 0 else None)
    assert (home.postgres / "PG_VERSION").read_text() == "18\n"


def listening(records: tuple[ProcessRecord, ...]) -> set[tuple[str, int]]:
    """Address and port of every TCP or UDP socket that anything of these processes has open for others."""
    return {
        (connection.laddr.ip, connection.laddr.port)
        for record in records
        for process in family_of(record)
        for connection in process.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    }


def family_of(record: ProcessRecord) -> list[psutil.Process]:
    process = psutil.Process(record.pid)
    return [process, *process.children(recursive=True)]


def left_in(home: Home) -> list[str]:
    """The command lines that mention this home."""
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(home.path) in line]
