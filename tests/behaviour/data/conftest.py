"""An empty database for the order history."""

import pytest


@pytest.fixture
def order_database(database_url: str) -> str:
    """Its URL. Nothing is in it, not even tables."""
    return database_url
