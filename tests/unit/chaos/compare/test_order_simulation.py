"""What is compared of Brigade's own pipelines."""

from datetime import timedelta

from chaos.compare import order_volume
from chaos.compare.__main__ import SUBJECTS
from chaos.compare.order_simulation import HISTORY_ENDS, SUBJECT, WEEKS
from chaos.compare.subject import load
from contracts.pipelines import PIPELINES
from orchestrator.data import sample
from services.configurator.weeks import menu_saturdays


def test_every_day_that_a_run_may_plan_from_has_the_menus_it_plans() -> None:
    menus = {row.week for row in sample(WEEKS, seed=1, ending=HISTORY_ENDS).menu}
    days = [SUBJECT.day(number) for number in range(SUBJECT.days)]
    assert len(set(days)) == SUBJECT.days >= 15
    assert [day for day in days if not set(menu_saturdays(day)) <= menus] == []
    assert not set(menu_saturdays(days[-1] + timedelta(days=1))) <= menus  # no later one would do


def test_each_of_them_can_be_compared() -> None:
    found = {name: load(module) for name, module in SUBJECTS.items()}
    assert {name: subject.pipeline.name for name, subject in found.items()} == {p.name: p.name for p in PIPELINES}


def test_a_worker_is_there_for_every_version_but_runs_of_another_pipeline() -> None:
    names = [f"{component.name}/{version}" for component, version in SUBJECT.workers]
    assert "order-volume/direct" in names
    assert "order-volume/nested" not in names
    assert not SUBJECT.calls_amazon_forecast
    waiting = [version for component, version in order_volume.SUBJECT.workers if component.name == "dataset-group"]
    assert waiting == ["polling", "callback"]
    assert order_volume.SUBJECT.calls_amazon_forecast
