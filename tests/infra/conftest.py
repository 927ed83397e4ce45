"""The stacks, synthesised once: CDK takes seconds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.pipeline import Pipeline
from contracts.pipelines import PIPELINES
from infra.node import provide_node
from infra.settings import Settings
from tests.infra.templates import Template

provide_node()

Synthesise = Callable[..., dict[str, Template]]


def synthesised(out: Path, pipelines: tuple[Pipeline, ...] = PIPELINES, **settings: Any) -> dict[str, Template]:
    """Templates by stack: Images, Messaging and Compute. Raises ChecksFailed when cdk-nag objects."""
    from infra.app import synthesise

    paths = synthesise(Settings(_cli_parse_args=False, out=out, tag="t1", **settings), pipelines)
    return {path.name.split(".")[0]: Template(json.loads(path.read_text(encoding="utf-8")), path) for path in paths}


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """With everything new and every option as it is by default."""
    return synthesised(tmp_path_factory.mktemp("cdk"))


@pytest.fixture(scope="session")
def compute(stacks: dict[str, Template]) -> Template:
    return stacks["Compute"]


@pytest.fixture(scope="session")
def messaging(stacks: dict[str, Template]) -> Template:
    return stacks["Messaging"]
