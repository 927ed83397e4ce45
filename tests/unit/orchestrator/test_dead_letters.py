"""What a dead letter says about itself, whatever its body is."""

import pytest

from orchestrator.dead_letters import _run_of


@pytest.mark.parametrize(
    ("body", "run_id"),
    [
        ('{"runid": "2026-11-25-choreographed-0a1b2c"}', "2026-11-25-choreographed-0a1b2c"),
        ("[" * 65_536, None),
        ('{"runid": "no\\u0000body"}', None),
        ('{"runid": "run\\n"}', None),
        ('{"runid": ""}', None),
        ('{"runid": 7}', None),
    ],
)
def test_a_run_is_named_as_runs_are(body: str, run_id: str | None) -> None:
    """The database is asked about it, and refuses some characters."""
    assert _run_of(body) == run_id
