"""order-simulator v1: recipes drawn independently."""

from contracts.order_simulator import OrdersSimulated, SimulateOrders
from services.order_simulator.independent import independent_orders
from services.order_simulator.scores import independent_scores
from services.order_simulator.week import simulate_week
from services.runtime.context import Context


def handle(inputs: SimulateOrders, ctx: Context) -> OrdersSimulated:
    """Raises ContractViolation when a forecast does not cover the week."""
    return simulate_week(inputs, ctx, independent_scores, independent_orders)
