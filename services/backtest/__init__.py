"""Backtests of the forecasting components on the loaded history. A tool, no component: it alone may import several of them."""
