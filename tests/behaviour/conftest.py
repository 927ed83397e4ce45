"""How the behaviour suites are shared between the processes of pytest-xdist."""

from collections.abc import Sequence
from pathlib import Path

import pytest

TOGETHER = Path(__file__).parent / "pipeline"
"""Its tests tell one story, of one fleet."""


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """A file's tests stay in one process, in their order: most share a stack's state."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            group = TOGETHER if item.path.is_relative_to(TOGETHER) else item.path
            item.add_marker(pytest.mark.xdist_group(str(group)))
