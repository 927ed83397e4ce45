"""order-volume: boxes per menu week and region, with quantiles."""
