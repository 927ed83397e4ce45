"""configurator: from a run request and the database to the run's plan."""
