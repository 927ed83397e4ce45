"""An optional component that gives nothing: its fallback does, the same in both styles."""

import pytest

from chaos.faults import Deed, Fault
from chaos.pipeline import POLICY, SOMMELIER
from chaos.stage import STYLES, TODAY, Stage
from tests.faults.looking import replacing, start_both

ATTEMPTS = POLICY.limits[0].attempts


@pytest.mark.parametrize(("deed", "why"), [("raise-permanent", "BadData"), ("kill", "KilledItsWorkers")])
def test_a_component_with_a_fallback_fails_for_good(stage: Stage, deed: Deed, why: str) -> None:
    """Proves that the last attempt of a component with a fallback sets its step to fall back (`Store.fail`, ASL's Catch)."""
    for style in STYLES:
        stage.faults.plant(Fault("handling", deed, SOMMELIER.name, run=f"{TODAY}-{style}"), times=2 * ATTEMPTS)
    runs = start_both(stage)
    over = "SELECT FROM runs WHERE run_id = ANY (%(runs)s) AND status <> 'RUNNING'"
    stage.until("both ends", replacing(stage, lambda: len(stage.rows(over, runs=runs)) == len(runs)), seconds=85)
    ended = [stage.run(run_id) for run_id in runs]
    assert [(run["status"], run["degraded"], run["cause"]) for run in ended] == [("SUCCEEDED", True, None)] * len(runs)
    stage.faults.clear()
    published = [sha256 for run_id in runs for sha256 in stage.published(run_id)]
    assert len(published) == len(runs)
    assert len(set(published)) == 1
    assert published[0] != stage.right_hash
    for run_id in runs:
        *_, fallen, answered = stage.attempts(run_id, SOMMELIER.name)
        assert (fallen[2], fallen[3], answered[2]) == ("failed", why, "done")
