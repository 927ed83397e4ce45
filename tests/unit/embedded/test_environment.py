"""LocalStack's own environment: made once, all or nothing."""

import sys
import threading
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from orchestrator.embedded import environment, prepare
from orchestrator.embedded.environment import build, cache_folder, environment_name, find_uv, prepare_localstack
from orchestrator.embedded.processes import StackFailed


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BRIGADE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def on_any_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if LocalStack worked on this Python, which may be a newer one: nothing is installed by these tests."""
    monkeypatch.setattr(environment, "NEWEST", max(environment.NEWEST, sys.version_info[:2]))


def test_the_cache_is_the_users_unless_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("BRIGADE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "brigade"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "brigade"


def test_the_name_changes_with_all_it_is_made_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = environment_name()
    assert name.startswith("localstack-4.9.2-")
    changed = tmp_path / "changed"
    changed.write_text(environment.REQUIREMENTS.read_text() + "# changed\n")
    with monkeypatch.context() as patch:
        patch.setattr(environment, "REQUIREMENTS", changed)
        assert environment_name() != name
    monkeypatch.setattr("sys.version_info", (3, 99, 0))
    assert environment_name() != name


def test_every_requirement_is_pinned() -> None:
    lines = environment.REQUIREMENTS.read_text().split()
    assert lines
    assert all(line.count("==") == 1 for line in lines)


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 13, 0)])
def test_other_pythons_are_refused(version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", version)
    with pytest.raises(BadRequest, match=r"needs Python 3\.11 or 3\.12, .* set AWS_ENDPOINT_URL"):
        prepare_localstack()


@pytest.mark.usefixtures("on_any_python")
def test_it_is_made_once_however_many_ask(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    made: list[Path] = []

    def fake_build(target: Path) -> None:
        made.append(target)
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "python").touch()

    monkeypatch.setattr(environment, "build", fake_build)
    askers = [threading.Thread(target=prepare_localstack) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert made == [cache / environment_name()]


@pytest.mark.usefixtures("on_any_python")
def test_it_is_made_again_when_its_interpreter_is_gone(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    made: list[Path] = []
    monkeypatch.setattr(environment, "build", made.append)
    folder = cache / environment_name() / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to("/no/such/python")
    prepare_localstack()
    assert made == [cache / environment_name()]


@pytest.mark.usefixtures("on_any_python")
def test_a_failed_installation_leaves_nothing_that_looks_finished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setattr(environment, "find_uv", lambda: str(uv))
    with pytest.raises(StackFailed, match=r"could not be made; .* said:\nno route to host\ncheck the connection"):
        build(prepare_target())
    assert not prepare_target().exists()
    assert prepare.main() == 1
    assert "no route to host" in capfd.readouterr().err


def prepare_target() -> Path:
    cache_folder().mkdir(exist_ok=True)
    return cache_folder() / environment_name()


def test_a_missing_uv_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(find_uv()).exists()

    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", missing)
    with pytest.raises(BadRequest, match="uv is not installed"):
        find_uv()
