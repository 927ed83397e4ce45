"""Failing overdue runs where no worker lives that would.

Workers do this in their sweep, and count it in their metrics; services and the orchestrator share no code, so the
statement is here again, in one piece. It leaves them `GRACE` to be first.
"""

from orchestrator.database import Connection, fetch_all

GRACE = 60
"""Seconds."""

_FAIL = """
UPDATE runs r SET status = 'FAILED', ended_at = now(), cause = 'the deadline has passed; missing: ' || coalesce((
    SELECT string_agg(component || '/' || item || ' (' || state || ')', ', ' ORDER BY position)
    FROM steps s WHERE s.run_id = r.run_id AND s.state NOT IN ('done', 'reused')
), 'nothing')
WHERE r.status = 'RUNNING' AND r.run_id IN (
    SELECT run_id FROM runs WHERE status = 'RUNNING' AND deadline < now() - make_interval(secs => %(grace)s)
    FOR UPDATE SKIP LOCKED
)
RETURNING r.run_id
"""


def fail_overdue(connection: Connection) -> list[str]:
    """The ids of the runs that have just failed."""
    return [row["run_id"] for row in fetch_all(connection, _FAIL, {"grace": GRACE})]
