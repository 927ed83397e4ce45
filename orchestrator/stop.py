"""Stopping a run: it is FAILED at once, and what is left of its messages is acknowledged, not run.

A handler that is at work is not interrupted: its answer is kept for a redrive, but it publishes nothing and starts nothing.
"""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.start import one_at_a_time

STOPPED = "stopped by request"
"""The cause of a run that was stopped."""

log = logging.getLogger("brigade.stop")

_LOOK = "SELECT status FROM runs WHERE run_id = %(run_id)s"

_STOP = """
UPDATE runs SET status = 'FAILED', cause = %(cause)s, ended_at = now()
WHERE run_id = %(run_id)s AND status = 'RUNNING'
RETURNING execution
"""

_STOP_NESTED = """
UPDATE runs SET status = 'FAILED', cause = %(cause)s, ended_at = now()
WHERE parent = %(run_id)s AND status = 'RUNNING'
RETURNING execution
"""


def stop_run(aws: Aws, connection: Connection, run_id: str) -> None:
    """End a run that is under way, and the runs that are steps of it.

    Its row comes first, or a sweep could find the execution stopped before the row says that somebody wanted it. An execution
    that cannot be stopped then ends by itself: its next command is not run. Raises NoSuchRun, and HasEnded when there is
    nothing to stop.
    """
    with one_at_a_time(connection, run_id):
        stopped = fetch_all(connection, _STOP, {"run_id": run_id, "cause": STOPPED})
        if not stopped:
            found = fetch_all(connection, _LOOK, {"run_id": run_id})
            if not found:
                raise NoSuchRun(f"there is no run '{run_id}': `brigade runs` lists them")
            raise HasEnded(f"run {run_id} has {found[0]['status']} already: there is nothing to stop")
        nested = fetch_all(connection, _STOP_NESTED, {"run_id": run_id, "cause": f"{STOPPED}, as a part of {run_id}"})
        for row in (*stopped, *nested):
            if row["execution"]:
                _stop_execution(aws, row["execution"])


def _stop_execution(aws: Aws, execution: str) -> None:
    try:
        aws.stepfunctions.stop_execution(executionArn=execution, error="Stopped", cause=STOPPED)
    except aws.stepfunctions.exceptions.ExecutionDoesNotExist:
        return  # never started, or lost with LocalStack: there is nothing to stop but the run
    except (BotoCoreError, ClientError) as error:
        log.warning("%s could not be stopped, and ends by itself: %s", execution, error)
