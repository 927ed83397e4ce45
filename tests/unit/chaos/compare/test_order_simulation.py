"""What is compared of Brigade's own pipeline."""

from datetime import timedelta

from chaos.compare.order_simulation import HISTORY_ENDS, SUBJECT, WEEKS
from orchestrator.data import sample
from services.configurator.weeks import menu_saturdays


def test_every_day_that_a_run_may_plan_from_has_the_menus_it_plans() -> None:
    menus = {row.week for row in sample(WEEKS, seed=1, ending=HISTORY_ENDS).menu}
    days = [SUBJECT.day(number) for number in range(SUBJECT.days)]
    assert len(set(days)) == SUBJECT.days >= 15
    assert [day for day in days if not set(menu_saturdays(day)) <= menus] == []
    assert not set(menu_saturdays(days[-1] + timedelta(days=1))) <= menus  # no later one would do
