"""A database with Brigade's tables and the rows of runs in it, without workers."""

from collections.abc import Iterator

import pytest

from contracts.pipelines import ORDER_SIMULATION
from orchestrator.database import Connection, connect, make_tables


@pytest.fixture
def database(database_url: str) -> Iterator[Connection]:
    """The tables, and the graph of the order-simulation pipeline."""
    with connect(database_url) as connection:
        make_tables(connection)
        graph = ORDER_SIMULATION.graph
        connection.execute("INSERT INTO graphs VALUES (%s, %s)", (graph.digest, graph.model_dump_json()))
        yield connection
