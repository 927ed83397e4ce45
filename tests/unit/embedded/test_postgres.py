"""PostgreSQL's programs: where they are, and who can run them."""

import os
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from orchestrator.embedded import postgres
from orchestrator.embedded.home import Home


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A wheel installed by somebody careful: closed to others."""
    folder = tmp_path / "closed" / postgres.PACKAGE
    program = folder / "pginstall18" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho it runs\n")
    program.chmod(0o700)
    (folder / "pginstall18" / "share").mkdir()
    (folder / "pginstall18" / "share" / "words").write_text("words")
    libraries = folder.with_name(f"{postgres.PACKAGE}.libs")
    libraries.mkdir()
    (libraries / "libpq.so.5.18").write_text("library")
    (libraries / "libpq.so.5").symlink_to("libpq.so.5.18")
    (folder.parent).chmod(0o700)
    return folder


def test_a_copy_can_be_read_by_everybody_and_the_original_is_left_as_it_was(package: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy-1.0"
    postgres.copy_open(package, copy)
    program = copy / postgres.PACKAGE / "pginstall18" / "bin" / "postgres"
    for path in (copy, *copy.rglob("*")):
        wanted = 0o555 if path.is_dir() or path == program else 0o444
        assert path.stat().st_mode & wanted == wanted, path
    assert (copy / f"{postgres.PACKAGE}.libs" / "libpq.so.5").is_symlink()
    assert package.parent.stat().st_mode & 0o777 == 0o700
    assert (package / "pginstall18" / "bin" / "postgres").stat().st_mode & 0o777 == 0o700


def test_a_path_is_open_when_every_folder_of_it_is(package: Path) -> None:
    program = package / "pginstall18" / "bin" / "postgres"
    assert postgres.open_to_others(Path("/bin/sh"))
    program.chmod(0o755)
    assert not postgres.open_to_others(program)


def test_a_home_nobody_can_reach_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.path.chmod(0o700)
    with pytest.raises(BadRequest, match=r"as root, .* the user nobody, who cannot reach .*: set BRIGADE_HOME"):
        postgres.find_programs(home, "nobody")


def test_a_missing_wheel_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(BadRequest, match="not installed: run `make setup`, or set DATABASE_URL"):
        postgres.find_programs(Home(tmp_path), None)


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("16\n")
    with pytest.raises(BadRequest, match="was made by PostgreSQL 16, this is 18: set BRIGADE_HOME"):
        postgres.initialise(home, tmp_path, None)


def test_the_programs_need_no_copy_where_they_can_be_reached(home: Home) -> None:
    found = postgres.find_programs(home, None)
    assert os.access(found / "postgres", os.X_OK)
    assert os.access(found / "initdb", os.X_OK)
    assert home.path not in found.parents
