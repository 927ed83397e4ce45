"""The database away, slow, and lost at the worst moment."""

from chaos.faults import Fault
from chaos.stage import TODAY, Stage
from tests.faults.looking import all_right, last, letters, more_than_one_attempt, start_both

DOWN = 10.0
SLOW = 2.0


def test_the_database_is_down_for_a_while(stage: Stage) -> None:
    """Proves that only an error of the message makes it poison (`Settling`): one of the surroundings gives it back."""
    runs = start_both(stage)
    planned(stage, runs)
    stage.database.refuse()
    last(DOWN)
    stage.database.restore()
    all_right(stage, runs)
    assert stage.fleet.dead() == []
    assert letters(stage) == []


def test_the_database_is_slow(stage: Stage) -> None:
    """Proves `Leases.keep`: a claim that is worked on stays its owner's, also when a commit takes longer than a lease."""
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handled", "wait", "chaos-server", run=f"{TODAY}-orchestrated"))
        runs = start_both(stage)
        planned(stage, runs)
        stage.database.slow(SLOW)
        stage.until("a server with its answer in hand", stage.faults.taken)
        last(3)
    all_right(stage, runs)
    assert more_than_one_attempt(stage, runs) == []


def test_a_connection_is_dropped_before_the_server_sees_the_commit(stage: Stage, style: str) -> None:
    """Proves `patiently`: a commit is tried again with the answer there is, the handler does not run again."""
    run_id = drop_at_commit(stage, style, seen_by_server=False)
    all_right(stage, [run_id])
    assert stage.attempts(run_id, "chaos-server") == [("-", 1, "done", None)]


def test_a_connection_is_dropped_after_the_server_has_seen_the_commit(stage: Stage, style: str) -> None:
    """Proves that a commit counts for a claimed step of a run under way only: tried again, it publishes nothing again."""
    run_id = drop_at_commit(stage, style, seen_by_server=True)
    all_right(stage, [run_id])
    assert stage.attempts(run_id, "chaos-server") == [("-", 1, "done", None)]


def planned(stage: Stage, runs: list[str]) -> None:
    query = "SELECT FROM steps WHERE run_id = ANY (%(runs)s) AND component = 'chaos-server'"
    stage.until("the plan of each", lambda: len(stage.rows(query, runs=runs)) == len(runs))


def drop_at_commit(stage: Stage, style: str, *, seen_by_server: bool) -> str:
    """Of the step that publishes, which has its answer in hand."""
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handled", "wait", "chaos-server"))
        run_id = stage.start(style)
        stage.until("the server before its commit", stage.faults.taken)
        trap = stage.database.trap(b"COMMIT", seen_by_server=seen_by_server)
    stage.until("the loss of a connection", lambda: trap.sprung)
    return run_id
