"""orders-import: boxes a week and region, as Amazon Forecast's target series."""
