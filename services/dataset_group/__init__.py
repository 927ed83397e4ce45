"""dataset-group: what a run has Amazon Forecast make belongs to one group."""
