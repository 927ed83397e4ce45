"""What is rendered from the pipelines is committed, and as it should be."""

import shutil
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION, PIPELINES
from orchestrator import compose
from orchestrator.diagram import mermaid
from orchestrator.policies import policies
from orchestrator.render import (
    CHECKOUT,
    FOLDER,
    for_containers,
    for_squads,
    rendered,
    write,
    write_for_containers,
    write_for_squads,
)
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, LAYER, WAITER, pipeline
from tests.unit.orchestrator.test_asl import BY_EVENING, TASTER

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", rendered(PIPELINES))
def test_a_committed_file_is_as_rendered(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8") if (FOLDER / name).exists() else "(there is none)"
    if committed != rendered(PIPELINES)[name]:
        pytest.fail(f"{FOLDER / name} is not what the pipelines say: run `make render` and commit what it wrote")


@pytest.mark.parametrize("name", for_squads(PIPELINES))
def test_a_committed_file_for_squads_is_as_rendered(name: str) -> None:
    committed = (CHECKOUT / name).read_text(encoding="utf-8") if (CHECKOUT / name).exists() else "(there is none)"
    if committed != for_squads(PIPELINES)[name]:
        pytest.fail(f"{name} is not what the pipelines say: run `make render` and commit what it wrote")


@pytest.mark.parametrize("name", for_containers(PIPELINES))
def test_the_workers_in_a_committed_compose_file_are_as_rendered(name: str) -> None:
    if (CHECKOUT / name).read_text(encoding="utf-8") != for_containers(PIPELINES)[name]:
        pytest.fail(f"the workers in {name} are not what the pipelines say: run `make render` and commit what it wrote")


def test_a_compose_file_says_where_its_workers_stand(tmp_path: Path) -> None:
    for name in ("pyproject.toml", *for_containers(PIPELINES)):
        shutil.copy(CHECKOUT / name, tmp_path)
    assert write_for_containers(PIPELINES, tmp_path) == []
    kept = (tmp_path / "docker-compose.yml").read_text(encoding="utf-8").replace("# End of workers", "")
    (tmp_path / "docker-compose.yml").write_text(kept, encoding="utf-8")
    with pytest.raises(BadRequest, match="has no lines '# Workers: written by `make render`' and '# End of workers'"):
        compose.texts(PIPELINES, tmp_path)


def test_no_other_file_is_committed_as_rendered() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(rendered(PIPELINES)), "delete what no pipeline renders"


def test_the_readme_shows_the_pipeline() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if f"```mermaid\n{mermaid(ORDER_SIMULATION)}```" not in readme:
        pytest.fail("the diagram in README.md is not `brigade graph order-simulation`: paste what it prints")


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "rendered"
    assert {path.name for path in write(PIPELINES, folder)} == set(rendered(PIPELINES))
    assert write(PIPELINES, folder) == []
    (folder / "order-simulation.mmd").write_text("old", encoding="utf-8")
    assert [path.name for path in write(PIPELINES, folder)] == ["order-simulation.mmd"]
    assert (folder / "order-simulation.mmd").read_text(encoding="utf-8") == mermaid(ORDER_SIMULATION)


def test_only_what_changed_is_written_for_squads(tmp_path: Path) -> None:
    written = {path.relative_to(tmp_path).as_posix() for path in write_for_squads(PIPELINES, tmp_path)}
    assert written == set(for_squads(PIPELINES))
    assert write_for_squads(PIPELINES, tmp_path) == []


def test_a_diagram_has_a_box_for_each_component_and_an_arrow_for_each_edge_that_no_longer_way_implies() -> None:
    assert mermaid(pipeline(HOST, HERBS, BY_EVENING, CLOSER)).splitlines() == [
        "flowchart TD",
        '    host["host"]',
        '    herbs["herbs"]',
        '    layer["layer<br/>for each of tables<br/>friday: 1, saturday: 2 3"]',
        '    waiter["waiter<br/>for each of tables<br/>friday: 1, saturday: 2 3"]',
        '    closer["closer"]',
        "    host --> herbs",
        "    host --> layer",
        "    layer --> waiter",
        "    waiter ==> closer",
    ]


def test_a_diagram_names_the_versions_to_choose_from() -> None:
    assert '    taster["taster (v1 or v2)"]' in mermaid(pipeline(HOST, HERBS, TASTER)).splitlines()
    assert LAYER.name in mermaid(pipeline(HOST, BY_EVENING))
    assert WAITER.name in mermaid(pipeline(HOST, BY_EVENING))


def test_the_policies_say_what_happens_after_the_last_attempt() -> None:
    herbs = HERBS.model_copy(update={"fallback": True})
    rows = [line for line in policies((pipeline(HOST, herbs),)).splitlines() if line.startswith("| h")]
    assert [row.split(" | ")[-1] for row in rows] == ["the run fails |", "its fallback |"]
    assert "ResourcePending: 100, wait 1 |" in rows[0]
    assert "WorkerLost: 3, wait 1, times 2, up to 30, jitter<br/>" in rows[0]
