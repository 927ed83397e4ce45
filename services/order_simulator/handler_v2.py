"""order-simulator v2: whole boxes, no recipe twice in a box, and volumes that miss together."""

from contracts.order_simulator import OrdersSimulated, SimulateOrders
from services.order_simulator.scores import shared_scores
from services.order_simulator.week import simulate_week
from services.order_simulator.whole_boxes import whole_box_orders
from services.runtime.context import Context


def handle(inputs: SimulateOrders, ctx: Context) -> OrdersSimulated:
    """Raises ContractViolation when a forecast does not cover the week, BadData when boxes cannot be of that size."""
    return simulate_week(inputs, ctx, shared_scores, whole_box_orders)
