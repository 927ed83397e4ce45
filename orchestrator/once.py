"""Starting a run once for each cause, whoever asks and how often: an idempotency key, or the time of a schedule.

The cause is written with the run's row, in one transaction, so two who ask at once start one run. Whether the message that
sets it going was sent is noted afterwards: who asks again after a crash in between, or after a failure, sends it.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from contracts.errors import BadRequest
from contracts.pipeline import Pipeline
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.history import HasEnded
from orchestrator.redrive import UnderWay, redrive_run
from orchestrator.start import one_at_a_time, start_run
from orchestrator.stop import STOPPED

_LOOK = "SELECT run_id, asked, sent_at FROM starts WHERE cause = %(cause)s"
_NOTE = "INSERT INTO starts (cause, asked, run_id) VALUES (%s, %s, %s)"
_SENT = "UPDATE starts SET sent_at = now() WHERE cause = %s AND sent_at IS NULL"

_UNTOUCHED = """
SELECT 1 AS found FROM runs r
WHERE r.run_id = %(run_id)s AND r.cause IS DISTINCT FROM %(stopped)s
  AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.run_id = r.run_id)
"""


class KeyReused(BadRequest):
    """An idempotency key that has started another kind of run."""


@dataclass(frozen=True)
class Asked:
    """What a run is asked to be."""

    pipeline: Pipeline
    style: str
    date: date
    flags: dict[str, str]
    seed: int = 1

    @property
    def digest(self) -> str:
        told = [self.pipeline.name, self.style, f"{self.date.isoformat()}", dict(sorted(self.flags.items())), self.seed]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class Once:
    """The cause's run. `repeated` when it was there already."""

    run_id: str
    repeated: bool


def start_once(aws: Aws, connection: Connection, deployment: Deployment, cause: str, asked: Asked) -> Once:
    """Start the cause's run, or find it.

    Raises what `start_run` raises, and KeyReused when the cause has started a run of something else.
    """
    with one_at_a_time(connection, f"start {cause}"):
        found = fetch_all(connection, _LOOK, {"cause": cause})
        if not found:
            started = start_run(
                aws,
                connection,
                deployment,
                asked.pipeline,
                asked.style,
                asked.date,
                asked.flags,
                asked.seed,
                also=lambda run_id: _note(connection, cause, asked, run_id),
            )
            connection.execute(_SENT, (cause,))
            return Once(started.run_id, repeated=False)
        run_id = str(found[0]["run_id"])
        if found[0]["asked"] != asked.digest:
            raise KeyReused(
                f"this idempotency key has started {run_id}, which was asked for in other words: take a new key"
            )
        if found[0]["sent_at"] is None and fetch_all(connection, _UNTOUCHED, {"run_id": run_id, "stopped": STOPPED}):
            _send_again(aws, connection, deployment, run_id)
        connection.execute(_SENT, (cause,))
        return Once(run_id, repeated=True)


def _note(connection: Connection, cause: str, asked: Asked, run_id: str) -> None:
    connection.execute(_NOTE, (cause, asked.digest, run_id))


def _send_again(aws: Aws, connection: Connection, deployment: Deployment, run_id: str) -> None:
    try:
        redrive_run(aws, connection, deployment, run_id)
    except (UnderWay, HasEnded):
        return  # it was sent: whoever sent it had no time to note that
