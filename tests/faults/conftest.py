"""One stage for all fault tests, restored before each, and looked over after it."""

from collections.abc import Iterator

import pytest

from chaos.fleet import PLACES
from chaos.stage import STYLES, Stage, open_stage
from tests.support.stack import temporary_home

pytest.register_assert_rewrite("tests.faults.looking")


@pytest.fixture(scope="package")
def opened() -> Iterator[Stage]:
    """With a worker at each place, and the fault-free hash known."""
    with temporary_home() as home, open_stage(home) as stage:
        stage.fleet.start(*PLACES)
        stage.learn_the_right_hash()
        yield stage


@pytest.fixture
def stage(opened: Stage) -> Iterator[Stage]:
    """As at first. No run may leave a message in a queue or in flight."""
    opened.restore()
    yield opened
    opened.restore()
    opened.settled()


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)
