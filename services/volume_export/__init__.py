"""volume-export: all forecasts as one table, published."""
