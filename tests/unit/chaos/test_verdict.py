"""The verdict over a chaos run finds everything it is there to find."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chaos.drive import Trial
from chaos.mix import draw, kinds
from chaos.verdict import Judged, judge, tally

RIGHT = "a" * 64
WRONG = "b" * 64
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def trial(published: tuple[str, ...] = (RIGHT,), **row: Any) -> Trial:
    found = {"status": "SUCCEEDED", "degraded": False, "cause": None, "ended_at": NOON, "deadline": NOON, **row}
    return Trial(0, "orchestrated", kinds()[0], "run", row=found, published=published)


@pytest.mark.parametrize(
    ("ended", "end"),
    [
        (trial(), "recovered"),
        (trial((WRONG,), degraded=True), "degraded"),
        (trial((), status="FAILED", cause="no gas"), "failed"),
    ],
)
def test_a_run_may_end_in_three_ways(ended: Trial, end: str) -> None:
    assert judge(ended, RIGHT) == Judged(end, twice=False, wrong=None)


LATE: dict[str, Any] = {"ended_at": NOON + timedelta(seconds=1)}


@pytest.mark.parametrize(
    ("ended", "end", "twice", "wrong"),
    [
        (trial(()), "lost", False, "has not published"),
        (trial((RIGHT, RIGHT)), "recovered", True, "2 times"),
        (trial((WRONG, WRONG), degraded=True), "recovered", True, "2 times"),
        (trial((WRONG,)), "recovered", False, WRONG),
        (trial((), status="FAILED"), "failed", False, "without a cause"),
        (trial(status="FAILED", cause="no gas"), "failed", False, "has published"),
        (trial(**LATE), "recovered", False, "after its deadline"),
        (trial((WRONG,), degraded=True, **LATE), "degraded", False, "after its deadline"),
        (trial((), status="FAILED", cause="no gas", **LATE), "failed", False, "after its deadline"),
    ],
)
def test_what_must_not_be_is_found(ended: Trial, end: str, twice: bool, wrong: str) -> None:
    judged = judge(ended, RIGHT)
    assert (judged.end, judged.twice) == (end, twice)
    assert wrong in str(judged.wrong)


def test_a_run_without_an_end_is_lost() -> None:
    judged = judge(Trial(0, "orchestrated", kinds()[0], "run"), RIGHT)
    assert (judged.end, judged.wrong) == ("lost", "has not ended")


def test_runs_are_counted_by_fault() -> None:
    (row,) = tally([trial(), trial(()), trial((RIGHT, RIGHT)), trial((), status="FAILED", cause="no gas")], RIGHT)
    assert row.model_dump() == {
        "fault": "nothing else",
        "runs": 4,
        "injected": 0,
        "recovered": 2,
        "degraded": 0,
        "failed": 1,
        "lost": 1,
        "twice": 1,
    }


def test_a_seed_draws_the_same_faults_again_and_leaves_none_out() -> None:
    drawn = [[kind.name for kind in draw(Random(seed), 60)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {kind.name for kind in kinds()}
