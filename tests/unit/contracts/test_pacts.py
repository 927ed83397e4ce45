"""Every edge of the pipelines has a pact, and every pact is of an edge."""

import json
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES, all_components, component_named

ROOT = Path(__file__).parents[3]
PACTS = sorted((ROOT / "contracts" / "pacts").iterdir())

EDGES = {(node.component, need.component) for each in PIPELINES for node in each.graph.nodes for need in node.needs}
"""Consumer and provider."""


def ends(file: Path) -> tuple[str, str]:
    try:
        pact = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        pytest.fail(f"{file} is no JSON: {error}; `make pacts` writes it again")
    return pact["consumer"]["name"], pact["provider"]["name"]


def problem_of(consumer: str, provider: str) -> str | None:
    try:
        component_named(consumer)
        component_named(provider)
    except BadRequest as gone:
        return str(gone)
    return None if (consumer, provider) in EDGES else f"{consumer} takes nothing from {provider} in any pipeline"


@pytest.mark.parametrize("file", PACTS, ids=lambda file: file.name)
def test_a_pact_is_of_an_edge(file: Path) -> None:
    consumer, provider = ends(file)
    problem = problem_of(consumer, provider)
    assert not problem, f"{file.name}: {problem}; delete it when its consumer is gone"
    assert file.name == f"{consumer}-{provider}.json"


def test_every_edge_has_a_pact() -> None:
    lacking = sorted(EDGES - {ends(file) for file in PACTS})
    assert not lacking, f"no pact of {lacking}: state it in the consumer's test_relies.py, then `make pacts`"


def test_every_component_states_and_verifies_in_a_folder_of_its_own() -> None:
    """A pact whose tests are gone would never be found stale, and a provider without would never be told."""
    consumers, providers = ({edge[end] for edge in EDGES} for end in (0, 1))
    lacking = [
        f"tests/contracts/{component.module}/{name}.py"
        for component in all_components()
        for name, among in (("test_relies", consumers), ("test_gives", providers))
        if component.name in among and not (ROOT / f"tests/contracts/{component.module}/{name}.py").exists()
    ]
    assert not lacking, f"{', '.join(lacking)} is missing: see docs/contracts.md"


@pytest.mark.parametrize(
    ("consumer", "provider", "said"),
    [
        ("retired", "order-volume", "unknown component 'retired'"),
        ("order-simulator", "retired", "unknown component 'retired'"),
        ("data-extractor", "order-volume", "data-extractor takes nothing from order-volume in any pipeline"),
    ],
)
def test_a_pact_that_nobody_has_is_found(consumer: str, provider: str, said: str) -> None:
    assert said in (problem_of(consumer, provider) or "")
