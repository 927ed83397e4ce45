"""What is compared: found by its module, its leases shortened, everything else as it was."""

import pytest

from chaos.compare.order_simulation import SUBJECT
from chaos.compare.subject import LEASE, load, with_leases
from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION


def test_the_user_s_own_is_found_by_the_name_of_its_module() -> None:
    subject = load("examples.two_stations")
    assert [component.name for component in subject.pipeline.components] == ["bread-planner", "baker"]
    assert {component.policy.lease for component in subject.pipeline.components} == {LEASE}


@pytest.mark.parametrize(
    ("module", "why"),
    [("examples.nowhere", "no module examples.nowhere is found"), ("contracts.run", "has no SUBJECT")],
)
def test_what_is_none_is_refused(module: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        load(module)


def test_nothing_but_leases_is_changed() -> None:
    """Map, Parallel and Choice included: the graph would be another."""
    shortened = with_leases(ORDER_SIMULATION, LEASE)
    assert {node.policy.lease for node in shortened.graph.nodes} == {LEASE}
    longest = max(component.policy.lease for component in ORDER_SIMULATION.components)
    assert with_leases(ORDER_SIMULATION, longest).graph == ORDER_SIMULATION.graph
    assert with_leases(shortened, longest) == shortened, "no lease becomes longer"


def test_days_go_on_and_begin_again() -> None:
    days = [SUBJECT.day(number) for number in range(SUBJECT.days + 1)]
    assert days[0] == days[-1]
    assert len(set(days)) == SUBJECT.days
