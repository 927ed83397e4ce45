"""Which files make a worker: their digest tells `up` whether one runs older code."""

from pathlib import Path

import pytest

from contracts.order_volume import ORDER_VOLUME
from orchestrator.embedded.code import ROOT, code_digest

FILES = (
    "contracts/order_volume.py",
    "services/runtime/worker.py",
    "services/models/kinds.py",
    "services/order_volume/level.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", [*FILES, "services/order_volume/new.py", "contracts/new.sql"])
def test_a_change_of_what_the_worker_runs_is_seen(root: Path, name: str) -> None:
    before = code_digest(ORDER_VOLUME.module, root)
    (root / name).write_text("after", encoding="utf-8")
    assert code_digest(ORDER_VOLUME.module, root) != before


def test_a_file_that_moved_or_is_gone_is_seen(root: Path) -> None:
    before = code_digest(ORDER_VOLUME.module, root)
    file = root / FILES[-1]
    moved = file.rename(file.with_name("trend.py"))
    after = code_digest(ORDER_VOLUME.module, root)
    moved.unlink()
    assert len({before, after, code_digest(ORDER_VOLUME.module, root)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "services/publisher/handler.py",
        "orchestrator/fleet.py",
        "services/order_volume/__pycache__/handler.cpython-311.pyc",
        "services/order_volume/.handler.py.swp",
        "contracts/schemas/run-planned.v1.json",
    ],
)
def test_other_files_do_not_matter(root: Path, name: str) -> None:
    before = code_digest(ORDER_VOLUME.module, root)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("after", encoding="utf-8")
    assert code_digest(ORDER_VOLUME.module, root) == before


def test_a_file_written_again_as_it_was_does_not_matter(root: Path) -> None:
    before = code_digest(ORDER_VOLUME.module, root)
    (root / FILES[0]).write_text("before", encoding="utf-8")
    assert code_digest(ORDER_VOLUME.module, root) == before


def test_the_real_files_are_found() -> None:
    assert all((ROOT / folder).is_dir() for folder in ("contracts", "services/runtime", "services/order_volume"))
