"""The states of providers that pacts ask for: what is given to a provider's handler before it gives its message."""

EVERYTHING_IS_LOADED = "all that may be known is loaded, and an earlier run has made every forecast"
ORDERS_ARE_LOADED = "orders are loaded"
HISTORY_IS_EXTRACTED = "there is a plan, and its history is extracted"
FORECASTS_ARE_MADE = "there is a plan, and volume and popularity are forecast"
NETWORKS_ARE_CONFIGURED = "there is a plan with forecasts and networks"
ORDERS_ARE_SIMULATED = "there is a plan, and the orders of a week are simulated"
