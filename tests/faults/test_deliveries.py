"""Messages that come twice, late and in any order."""

from chaos.stage import Stage

RUNS = 8


def test_deliveries_are_repeated_and_reordered(stage: Stage, style: str) -> None:
    """Proves that a step is claimed by one delivery, under a row lock, and done once: a fifth of all messages come twice."""
    stage.api.disorder = 0.2
    repeated, reordered = stage.api.repeated, stage.api.reordered
    runs = [stage.start(style) for _ in range(RUNS)]
    ended = [stage.ended(run_id)["status"] for run_id in runs]
    stage.settled()
    assert ended == ["SUCCEEDED"] * RUNS
    assert [stage.published(run_id) for run_id in runs] == [[stage.right_hash]] * RUNS
    assert stage.api.repeated > repeated
    assert stage.api.reordered > reordered
    query = "SELECT component, item FROM attempts WHERE run_id = ANY (%(runs)s) AND outcome = 'done'"
    assert len(stage.rows(query, runs=runs)) == 7 * RUNS
