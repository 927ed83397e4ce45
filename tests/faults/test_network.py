"""Services that refuse, and a network that is cut, between workers and LocalStack."""

from chaos.api import Rule
from chaos.faults import Fault
from chaos.stage import STYLES, Stage
from tests.faults.looking import all_right, last, more_than_one_attempt

CUT = 15.0

TRIES = 6
"""Of one call, by the client itself: the first and its retries."""


def test_s3_is_throttled(stage: Stage, style: str) -> None:
    """Proves the retries of the AWS clients: a call that is refused once or twice costs no attempt."""
    rule = stage.api.refuse(Rule("s3", times=2))
    run_id = stage.start(style)
    all_right(stage, [run_id])
    assert rule.applied == 2
    assert more_than_one_attempt(stage, [run_id]) == []


def test_sns_is_throttled(stage: Stage, style: str) -> None:
    """Proves the same for events, for as long as a client tries and longer: it comes once, and no handler runs again."""
    stage.settled()  # an event of an earlier run may still be on its way
    rule = stage.api.refuse(Rule("sns", times=TRIES))
    run_id = stage.start(style)
    all_right(stage, [run_id])
    assert rule.applied == TRIES
    assert stage.api.answers[f"{run_id}/chaos-server/-"] == 1
    assert more_than_one_attempt(stage, [run_id]) == []


def test_sns_refuses_an_event(stage: Stage, style: str) -> None:
    """Proves that a message is deleted after its event is published, not before: the event comes with the next delivery."""
    stage.settled()  # an event of an earlier run may still be on its way
    rule = stage.api.refuse(Rule("sns", times=1, status=400, code="InvalidParameter"))
    run_id = stage.start(style)
    all_right(stage, [run_id], seconds=40)  # the sweep would send what was forgotten again, after a minute
    assert rule.applied == 1
    assert stage.api.answers[f"{run_id}/chaos-server/-"] == 1
    assert more_than_one_attempt(stage, [run_id]) == []


def test_the_network_is_cut_silently(stage: Stage, style: str) -> None:
    """Proves `LOST_CALLBACKS` and that a stored answer is repeated to the newest token: the first one went stale meanwhile."""
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handled", "wait", "chaos-saucier"))
        run_id = stage.start(style)
        stage.until("a sauce that is ready", stage.faults.taken)
        stage.network.hold()
    last(CUT)
    stage.network.restore()
    all_right(stage, [run_id])
    assert stage.attempts(run_id, "chaos-saucier") == [("-", 1, "done", None)]


def test_the_network_is_cut_and_connections_break(stage: Stage) -> None:
    """Proves that a worker whose receive fails receives again: it does not end."""
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handled", "wait", "chaos-cook", item="fish"), times=len(STYLES))
        runs = [stage.start(style) for style in STYLES]
        stage.until("a fish in each run", lambda: len(stage.faults.taken()) == len(STYLES))
        stage.network.refuse()
    last(CUT)
    stage.network.restore()
    assert stage.fleet.dead() == []
    all_right(stage, runs)
