"""A redrive follows the state machine its run started with, whatever has been deployed since."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contracts.pipeline import Pipeline
from orchestrator.deploy import deploy
from tests.behaviour.cli.typed import error_line
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.redriving import brigade, failed_run, redrive

pytestmark = pytest.mark.usefixtures("no_patience", "no_runs")


@contextmanager
def another_graph_deployed(floor: Floor) -> Iterator[Pipeline]:
    """The same pipeline with another deadline. At the end the first one is deployed again."""
    first = floor.pipeline
    floor.pipeline = Pipeline(name=first.name, deadline=first.graph.deadline + 1, flow=first.flow)
    deploy(floor.aws, floor.connection, (floor.pipeline,), "floor")
    yield first
    floor.pipeline = first
    deploy(floor.aws, floor.connection, (first,), "floor")


def definition_of(floor: Floor, run_id: str) -> str:
    """The definition that the run's execution follows."""
    arn = floor.execution(run_id)["executionArn"]
    return floor.aws.stepfunctions.describe_state_machine_for_execution(executionArn=arn)["definition"]


async def test_a_deploy_changes_no_run_that_is_redriven(snack_bar: Floor) -> None:
    run_id = await failed_run(snack_bar, "orchestrated")
    with another_graph_deployed(snack_bar) as first:
        redrive(snack_bar, run_id)
        started = snack_bar.start("orchestrated")
        async with snack_bar.working():
            runs = [await snack_bar.ended(run_id), await snack_bar.ended(started)]
            await snack_bar.settled()
        graphs = [first.graph.digest, snack_bar.pipeline.graph.digest]
    assert [run["status"] for run in runs] == ["SUCCEEDED"] * 2
    assert [run["graph"] for run in runs] == graphs
    for run, graph in zip((run_id, started), graphs, strict=True):
        assert f"graph {graph}," in definition_of(snack_bar, run)


async def test_a_state_machine_that_is_gone_is_said_to_be_and_nothing_changes(snack_bar: Floor) -> None:
    """LocalStack has lost its state, and other code is deployed now."""
    run_id = await failed_run(snack_bar, "orchestrated")
    digest = snack_bar.pipeline.graph.digest
    snack_bar.connection.execute("UPDATE state_machines SET version = version || '00' WHERE graph = %s", (digest,))
    refused = await brigade(snack_bar, "redrive", run_id)
    assert refused.returncode == 2
    assert error_line(refused) == (
        f"the state machine of graph {digest}, which run {run_id} started with, is not deployed any more: redrive it "
        "with --style choreographed, or deploy the code of that graph"
    )
    (run,) = snack_bar.rows("SELECT status, generation FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    assert run == {"status": "FAILED", "generation": 1}
    async with snack_bar.working():
        redrive(snack_bar, run_id, "choreographed")
        assert (await snack_bar.ended(run_id))["status"] == "SUCCEEDED"
        deploy(snack_bar.aws, snack_bar.connection, (snack_bar.pipeline,), "floor")
        ended = await snack_bar.ended(snack_bar.start("orchestrated"))
    assert ended["status"] == "SUCCEEDED"


async def test_the_others_are_redriven_although_one_cannot_be(snack_bar: Floor) -> None:
    """The state machine of the first one went with LocalStack's state, and other code is deployed now."""
    gone = snack_bar.start("orchestrated")
    snack_bar.aws.stepfunctions.stop_execution(executionArn=snack_bar.execution(gone)["executionArn"])
    await snack_bar.until(lambda: snack_bar.finished_execution(gone))
    with another_graph_deployed(snack_bar) as first:
        snack_bar.connection.execute("DELETE FROM state_machines WHERE graph = %s", (first.graph.digest,))
        lost = snack_bar.start("choreographed")
        snack_bar.clear()
        async with snack_bar.working():
            done = await brigade(snack_bar, "redrive", "--unfinished")
            await snack_bar.settled()
    assert done.returncode == 1
    refused = f"error: {gone}: the state machine of graph {first.graph.digest}, which run {gone} started with,"
    assert refused in done.stderr
    assert f"{lost} SUCCEEDED: every step is done" in done.stderr


async def test_a_number_that_is_given_to_another_graph_is_no_longer_the_first_one_s(snack_bar: Floor) -> None:
    """Versions are counted from 1 again when the state machine was lost."""
    machine = snack_bar.deployment.state_machine_arn("snack")
    query = "SELECT version FROM state_machines WHERE graph = %(graph)s"
    graph = snack_bar.pipeline.graph.digest
    (ours,) = snack_bar.rows(query, graph=graph)
    snack_bar.connection.execute("DELETE FROM state_machines WHERE graph = %s", (graph,))
    snack_bar.connection.execute("INSERT INTO graphs (digest, body) VALUES ('lost', '{}')")
    row = (machine, "lost", ours["version"])
    snack_bar.connection.execute("INSERT INTO state_machines (machine, graph, version) VALUES (%s, %s, %s)", row)
    deploy(snack_bar.aws, snack_bar.connection, (snack_bar.pipeline,), "floor")
    assert snack_bar.rows(query, graph=graph) == [ours]
    assert snack_bar.rows(query, graph="lost") == []
    snack_bar.connection.execute("DELETE FROM graphs WHERE digest = 'lost'")
