"""A service and what stands behind it."""

import pytest
from starlette.testclient import TestClient

from tests.unit.service.kitchen import BEARER, Kitchen, service


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


@pytest.fixture
def client(kitchen: Kitchen) -> TestClient:
    """It brings the token."""
    made = service(kitchen)
    made.headers.update(BEARER)
    return made
