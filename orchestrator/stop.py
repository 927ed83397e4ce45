"""Stopping a run: it is FAILED at once, and what is left of its messages is acknowledged, not run.

A handler that is at work is not interrupted: its answer is kept for a redrive, but it publishes nothing and starts nothing.
"""

from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.start import one_at_a_time

STOPPED = "stopped by request"
"""The cause of a run that was stopped."""

_LOOK = "SELECT status, execution FROM runs WHERE run_id = %(run_id)s"

_STOP = """
UPDATE runs SET status = 'FAILED', cause = %(cause)s, ended_at = now()
WHERE run_id = %(run_id)s AND status = 'RUNNING'
"""


def stop_run(aws: Aws, connection: Connection, run_id: str) -> None:
    """End a run that is under way.

    Its execution is stopped first: when that fails nothing has changed, and it can be asked for again. Raises NoSuchRun, and
    HasEnded when there is nothing to stop.
    """
    with one_at_a_time(connection, run_id):
        rows = fetch_all(connection, _LOOK, {"run_id": run_id})
        if not rows:
            raise NoSuchRun(f"there is no run '{run_id}': `brigade runs` lists them")
        if rows[0]["status"] == "RUNNING" and rows[0]["execution"]:
            _stop_execution(aws, rows[0]["execution"])
        # Its last step may have been answered meanwhile.
        if not connection.execute(_STOP, {"run_id": run_id, "cause": STOPPED}).rowcount:
            (now,) = fetch_all(connection, _LOOK, {"run_id": run_id})
            raise HasEnded(f"run {run_id} has {now['status']} already: there is nothing to stop")


def _stop_execution(aws: Aws, execution: str) -> None:
    try:
        aws.stepfunctions.stop_execution(executionArn=execution, error="Stopped", cause=STOPPED)
    except aws.stepfunctions.exceptions.ExecutionDoesNotExist:
        return  # never started, or lost with LocalStack: there is nothing to stop but the run
