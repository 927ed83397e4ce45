"""Limits and policies."""

import pytest
from pydantic import ValidationError

from contracts.component import FAILURES, PENDING, WAKE_SECONDS, Capacity, Component, Limit, Policy
from contracts.pipelines import PIPELINES, all_components
from tests.unit.contracts.kitchen import HERBS, HOST, Booked, TakeBooking, pipeline


@pytest.mark.parametrize(("lease", "heartbeat"), [(60, 120), (61, 120), (2, 3), (200, 120)])
def test_a_lease_of_half_the_heartbeat_is_refused(lease: int, heartbeat: int) -> None:
    with pytest.raises(ValidationError, match=f"lease {lease} s must be under half the heartbeat {heartbeat} s"):
        Policy(lease=lease, heartbeat=heartbeat)


def test_a_lease_under_half_the_heartbeat() -> None:
    assert Policy(lease=59, heartbeat=120).lease == 59


def test_waits_grow_to_a_ceiling() -> None:
    limit = Limit(errors=("TransientError",), attempts=10, first_delay=2, backoff_rate=3.0, max_delay=30)
    assert [limit.delay_after(failures) for failures in range(6)] == [2, 2, 6, 18, 30, 30]


def test_each_error_has_one_limit() -> None:
    policy = Policy()
    assert policy.limit_for("TransientError") is FAILURES
    assert policy.limit_for("WorkerLost") is FAILURES
    assert policy.limit_for("ResourcePending") is PENDING
    assert policy.limit_for("BadData") is None


@pytest.mark.parametrize("name", ["Host", "host_1", "1host", "", "h" * 41, "host/x"])
def test_a_name_that_could_not_name_a_queue_or_a_step(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Component(name=name, squad="test", input=TakeBooking, output=Booked)


def test_names_of_modules_and_flags() -> None:
    assert HOST.model_copy(update={"name": "night-host"}).module == "night_host"
    assert not HOST.flagged
    assert HOST.model_copy(update={"versions": ("v1", "v2")}).flagged


def test_no_component_says_it_waits_longer_than_its_run() -> None:
    for built in PIPELINES:
        assert max(component.policy.timeout for component in built.components) < built.deadline


def test_every_component_belongs_to_a_squad() -> None:
    assert all(component.squad for component in all_components())


def test_a_version_that_is_needed_seldom_is_waited_for() -> None:
    """The wait for a worker consumes the heartbeat."""
    patient = Policy(heartbeat=WAKE_SECONDS)
    seldom = Capacity(seldom=("v2",))
    given = {"name": "sous-chef", "squad": "test", "input": TakeBooking, "output": Booked, "versions": ("v1", "v2")}
    assert Component.model_validate({**given, "policy": patient, "capacity": seldom}).capacity.seldom == ("v2",)
    with pytest.raises(
        ValidationError, match=r"sous-chef may have to wait 1200 s for a worker, longer than its heartbeat"
    ):
        Component.model_validate({**given, "policy": Policy(), "capacity": seldom})
    with pytest.raises(ValidationError, match="sous-chef has no version v3 to need seldom"):
        Component.model_validate({**given, "policy": patient, "capacity": Capacity(seldom=("v3",))})


def test_capacity_is_no_part_of_the_routing() -> None:
    """Giving a component more memory does not concern runs under way."""
    larger = HOST.model_copy(update={"capacity": Capacity(memory=4096)})
    assert pipeline(larger, HERBS).graph.digest == pipeline(HOST, HERBS).graph.digest
