"""The folder of a stack: where it is, who may hold it."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from orchestrator.embedded.home import LONGEST_SOCKET_PATH, Home, default_home, refuse_foreign


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for a home. The length of `tmp_path` depends on who runs the test, how often and in how many processes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_the_environment_chooses_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRIGADE_HOME", str(tmp_path / "here"))
    assert default_home() == Home(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BRIGADE_HOME", "~/there")
    assert default_home() == Home(tmp_path / "there")


def test_the_default_home_is_this_users_and_this_installations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BRIGADE_HOME", raising=False)
    ours = default_home().path
    assert ours.parent == Path(f"/var/tmp/brigade-{os.getuid()}")
    monkeypatch.setattr("sys.prefix", "/elsewhere")
    assert default_home().path != ours


def test_a_home_is_closed_to_others_whatever_the_umask(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        for uid, mode in ((os.getuid() or 1000, 0o700), (0, 0o711)):
            monkeypatch.setattr("os.getuid", lambda uid=uid: uid)
            monkeypatch.setattr("orchestrator.embedded.home.refuse_foreign", lambda _: None)
            home = Home(short / str(uid) / "home")
            home.create()
            assert stat.S_IMODE(home.path.stat().st_mode) == mode
            assert stat.S_IMODE(home.path.parent.stat().st_mode) == mode
    finally:
        os.umask(before)


def test_a_home_whose_socket_would_have_too_long_a_path_is_refused(short: Path) -> None:
    room = LONGEST_SOCKET_PATH - len(str(short)) - len("//postgres/.s.PGSQL.5432")
    Home(short / ("x" * room)).create()
    with pytest.raises(BadRequest, match=r"is too long .* 104 bytes, at most 103 work; set BRIGADE_HOME"):
        Home(short / ("x" * (room + 1))).create()


def test_a_home_that_cannot_be_made_is_refused(short: Path) -> None:
    (short / "file").write_text("")
    with pytest.raises(BadRequest, match=r"cannot make .*/file/home: Not a directory; set BRIGADE_HOME"):
        Home(short / "file" / "home").create()


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: owner + 1)
    refuse_foreign(tmp_path / "missing")
    with pytest.raises(BadRequest, match="belongs to another user"):
        refuse_foreign(tmp_path)


def test_one_command_at_a_time_holds_the_stack(short: Path) -> None:
    home = Home(short / "home")
    with (
        home.exclusive("up"),
        pytest.raises(BadRequest, match=r"another `brigade up` is at work in .*: wait until it ends, then try again"),
        home.exclusive("down"),
    ):
        pytest.fail("both held it")
    with home.exclusive("down"):
        assert (home.path / "lock").read_text() == "down\n"
