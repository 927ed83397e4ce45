"""What is done with a running stack: workers are added, killed and cut off, and a new version takes over. Runs complete."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.project import ROOT, STYLES, Project, docker, left_of, run_of, until

V3 = ("--flag", "order-simulator=v3")


@pytest.fixture
def three_simulators(project: Project) -> Iterator[None]:
    project.compose("up", "-d", "--wait", "--no-recreate", "--scale", "order-simulator=3")
    yield
    project.compose("up", "-d", "--wait", "--no-recreate", "--scale", "order-simulator=1")


@pytest.mark.usefixtures("three_simulators")
def test_three_workers_of_one_component_share_its_work(project: Project) -> None:
    """A run has four weeks to simulate, and each worker takes two at a time: so not all three come to every run."""
    workers: set[str] = set()
    for style in STYLES * 3:
        outcome = project.run(style)
        assert outcome["status"] == "SUCCEEDED"
        steps = json.loads(project.brigade("history", outcome["run_id"], "--json"))["steps"]
        workers |= {step["worker"] for step in steps if step["component"] == "order-simulator"}
        if len(workers) == 3:
            return
    pytest.fail(f"only {', '.join(sorted(workers))} had work in six runs")


@pytest.fixture
def slow_simulator(project: Project) -> Iterator[str]:
    """Its container, with a tenth of a core: so there is time to kill it while it has a step."""
    (container,) = project.containers("order-simulator")
    docker("update", "--cpus", "0.1", container)
    yield container
    docker("update", "--cpus", "1", container)


@pytest.mark.parametrize("style", STYLES)
def test_a_worker_killed_in_the_middle_of_its_step(project: Project, slow_simulator: str, style: str) -> None:
    """Its messages come back when their leases have run out, and the started worker takes them."""
    with project.under_way("brigade", *run_of(style)) as run:
        claimed = "SELECT run_id FROM steps WHERE component = 'order-simulator' AND state = 'claimed'"
        until(lambda: bool(project.rows(claimed)))
        project.compose("kill", "order-simulator")
        lost = project.rows(claimed)
        assert lost
        docker("update", "--cpus", "1", slow_simulator)
        project.compose("up", "-d", "--wait")
        outcome = json.loads(run.output())
    assert (outcome["status"], outcome["run_id"]) == ("SUCCEEDED", lost[0]["run_id"])
    steps = json.loads(project.brigade("history", outcome["run_id"], "--json"))["steps"]
    assert max(step["attempt"] for step in steps if step["component"] == "order-simulator") > 1


@pytest.mark.parametrize("style", STYLES)
def test_a_database_that_is_away_for_ten_seconds(project: Project, style: str) -> None:
    with project.under_way("brigade", *run_of(style)) as run:
        until(lambda: bool(project.rows("SELECT 1 FROM runs WHERE status = 'RUNNING'")))
        project.compose("pause", "db")
        time.sleep(10)  # that long it is away
        project.compose("unpause", "db")
        outcome = json.loads(run.output())
    assert outcome["status"] == "SUCCEEDED"
    restarts = docker("inspect", "-f", "{{.RestartCount}}", *project.compose("ps", "-q").split())
    assert set(restarts) == {"0"}


def versions_of(project: Project, run_ids: list[str]) -> list[str]:
    query = "SELECT DISTINCT run_id, version FROM steps WHERE component = 'order-simulator' AND run_id = ANY(%s)"
    found = {row["run_id"]: row["version"] for row in project.rows(query, run_ids)}
    return [found[run_id] for run_id in run_ids]


def one_by_one(*flags: tuple[str, ...]) -> tuple[str, ...]:
    """Run after run in one container, in turn of both styles: one line of JSON for each, ended by the first that fails."""
    commands = [
        f"python -m orchestrator.cli {' '.join((*run_of(STYLES[n % 2]), *flag))}" for n, flag in enumerate(flags)
    ]
    return ("--entrypoint", "sh", "brigade", "-ec", "; ".join(commands))


def read(printed: str) -> list[dict[str, str]]:
    """JSON documents, one after another."""
    decoder, documents, rest = json.JSONDecoder(), [], printed.lstrip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(document)
        rest = rest[end:].lstrip()
    return documents


def declare_v3(folder: Path) -> None:
    """What the developer of a new version writes, and has written; the documentation has the commands that follow."""
    contract = folder / "contracts/order_simulator.py"
    declared = contract.read_text(encoding="utf-8").replace('versions=("v1", "v2")', 'versions=("v1", "v2", "v3")')
    assert "v3" in declared
    contract.write_text(declared, encoding="utf-8")
    handlers = folder / "services/order_simulator"
    (handlers / "handler_v3.py").write_bytes((handlers / "handler_v2.py").read_bytes())
    subprocess.run([sys.executable, "-m", "orchestrator.cli", "render"], cwd=folder, check=True, capture_output=True)
    assert "  order-simulator-v3:" in (folder / "docker-compose.yml").read_text(encoding="utf-8")


def documented() -> tuple[str, ...]:
    """The commands by which a new version joins, as docs/deployment.md gives them."""
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    section = page.partition("## A new version of a component")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return tuple(line.strip() for line in block.splitlines() if line.strip())


def start(project: Project, style: str, **flags: str) -> str:
    """Through the service."""
    wanted = {"pipeline": "order-simulation", "date": "2026-11-25", "style": style, "flags": flags}
    return str(project.ask("/runs", wanted)[1]["run_id"])


def succeeded(project: Project, run_ids: list[str]) -> bool:
    statuses = [project.ask(f"/runs/{run_id}")[1]["status"] for run_id in run_ids]
    assert "FAILED" not in statuses
    return set(statuses) == {"SUCCEEDED"}


def test_a_new_version_joins_takes_one_run_in_ten_then_all_and_the_old_one_leaves(project: Project) -> None:
    """Runs of the code before are under way when it joins, and more workers of the old version come after it."""
    build, join = documented()
    workers = project.compose("ps", "-q", "order-simulator", "order-simulator-v2", "publisher", "db").split()
    declare_v3(project.folder)
    project.name_images_before()
    project.compose(*build.split()[2:], seconds=1200)
    project.compose("pause", "order-simulator")
    before = [start(project, style) for style in STYLES]
    project.compose(*join.split()[2:])
    project.compose("unpause", "order-simulator")
    until(lambda: succeeded(project, before), seconds=180, every=1)
    assert versions_of(project, before) == ["v1"] * 2
    assert set(workers) <= set(project.compose("ps", "-q").split())

    project.compose("up", "-d", "--wait", "--no-recreate", "--scale", "order-simulator=2")
    one_in_ten: list[tuple[str, ...]] = [()] * 10
    one_in_ten[6] = V3
    outcomes = read(project.compose("run", "--rm", "-T", *one_by_one(*one_in_ten), seconds=900))
    assert {outcome["status"] for outcome in outcomes} == {"SUCCEEDED"}
    assert versions_of(project, [o["run_id"] for o in outcomes]) == ["v1"] * 6 + ["v3"] + ["v1"] * 3

    last = [start(project, style, **{"order-simulator": "v3"}) for style in STYLES]
    with project.under_way(*one_by_one(V3, V3, V3)) as runs:
        until(lambda: bool(project.rows("SELECT 1 FROM runs WHERE status = 'RUNNING'")))
        project.compose("stop", "order-simulator")
        outcomes = read(runs.output())
    until(lambda: succeeded(project, last), seconds=180, every=1)
    assert {outcome["status"] for outcome in outcomes} == {"SUCCEEDED"}
    assert versions_of(project, [*last, *(o["run_id"] for o in outcomes)]) == ["v3"] * 5
    assert project.containers("order-simulator") == []


def test_down_leaves_nothing(project: Project) -> None:
    """The last test: whatever comes after it finds no stack."""
    assert left_of(project) != []
    project.compose("down", "-v")
    assert left_of(project) == []
