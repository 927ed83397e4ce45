"""order-simulation on the sample history, from its last two weeks on."""

from datetime import date, timedelta

from chaos.compare.subject import Subject
from contracts.pipelines import ORDER_SIMULATION
from orchestrator.data import sample, store

HISTORY_ENDS = date(2026, 11, 20)
WEEKS = 104


def load_sample(database_url: str) -> None:
    store(database_url, sample(WEEKS, seed=1, ending=HISTORY_ENDS))


SUBJECT = Subject(
    pipeline=ORDER_SIMULATION,
    prepare=load_sample,
    first_day=HISTORY_ENDS - timedelta(days=13),
    days=21,  # the last from which the four weeks ahead have a menu, which the sample has for five weeks more
)
