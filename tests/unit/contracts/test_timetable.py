"""When each component's own clock strikes."""

import pytest

from contracts.errors import PipelineError
from contracts.pipelines import ORDER_SIMULATION
from contracts.schedule import Schedule
from contracts.timetable import timetable
from orchestrator.clocks import schedules


def test_each_starts_a_buffer_after_the_last_of_those_it_takes_from() -> None:
    graph = ORDER_SIMULATION.graph
    expected = {node.component: 10.0 for node in graph.nodes} | {"order-volume": 40.0}
    starts = timetable(graph, expected, 5.0)
    assert starts["configurator"] == 0
    assert starts["data-extractor"] == 15
    assert starts["order-volume"] == starts["recipe-popularity"] == 30
    assert starts["network-configuration"] == 75
    for node in graph.nodes:
        for need in node.needs:
            assert starts[node.component] >= starts[need.component] + expected[need.component] + 5


def test_schedules_are_those_of_the_pipeline_so_much_later() -> None:
    found = schedules(ORDER_SIMULATION)
    assert found[0] == {"component": "configurator", "starts": 0, "expected": 60, "schedule": "cron(0 4 * * ? *)"}
    assert found[1]["schedule"] == "cron(16 4 * * ? *)"
    assert [clock["starts"] for clock in found] == sorted(clock["starts"] for clock in found)


def test_later_keeps_the_days() -> None:
    assert Schedule("cron(50 4 ? * MON-FRI *)").later(75) == Schedule("cron(5 6 ? * MON-FRI *)")


@pytest.mark.parametrize("expression", ["rate(6 hours)", "cron(0/15 4 * * ? *)", "cron(0 4,16 * * ? *)"])
def test_what_is_not_one_time_a_day_cannot_be_followed(expression: str) -> None:
    with pytest.raises(PipelineError, match="not one time a day"):
        Schedule(expression).later(1)


def test_the_next_day_is_too_late() -> None:
    with pytest.raises(PipelineError, match="is the next day"):
        Schedule("cron(30 23 * * ? *)").later(30)
