"""The stack without Docker: LocalStack in an environment of its own, PostgreSQL from a wheel, workers beside them."""
