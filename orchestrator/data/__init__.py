"""Order data into PostgreSQL: readers that make an OrderHistory, and the one writer that stores it."""

from orchestrator.data.food_demand import load_food_demand
from orchestrator.data.history import OrderHistory, Progress
from orchestrator.data.long_format import load_long
from orchestrator.data.rejects import Loaded, Reject
from orchestrator.data.synthetic import sample
from orchestrator.data.weeks import latest_friday
from orchestrator.data.writer import store

__all__ = [
    "Loaded",
    "OrderHistory",
    "Progress",
    "Reject",
    "latest_friday",
    "load_food_demand",
    "load_long",
    "sample",
    "store",
]
