"""`make test-squad`: what it copies, and how it ends."""

from pathlib import Path

import pytest

from contracts.pipelines import all_components
from tests.alone import __main__ as alone

SQUADS = sorted({component.squad for component in all_components()})


def test_a_squad_that_there_is_not_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["waffles"], [""], []):
        assert alone.main(arguments) == 2
        told = capsys.readouterr().err
        assert f"make test-squad SQUAD=..., one of {', '.join(SQUADS)}" in told


@pytest.mark.parametrize("squad", SQUADS)
def test_a_tree_holds_no_other_squads_code(squad: str, tmp_path: Path) -> None:
    own = {component.module for component in all_components() if component.squad == squad}
    alone.copy(alone.ROOT, tmp_path, sorted(own))
    assert {path.name for path in (tmp_path / "services").iterdir() if path.is_dir()} - {"__pycache__"} == own | {
        *("models", "runtime")
    }
    assert {path.name for path in tmp_path.iterdir()} == {"contracts", "pyproject.toml", "services", "tests"}
    tested = {path.parent.name for path in tmp_path.glob("tests/**/test_*.py")}
    assert tested - {"page"} == own | {"alone"}


def test_a_component_without_tests_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone.copy(alone.ROOT, tmp_path, ["data_extractor"])
    monkeypatch.setattr(alone, "ROOT", tmp_path)
    assert alone.main(["larder"]) == 1
    assert "no tests of configurator: put some in tests/contracts/configurator" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "code"), [(["-k", "here"], 0), (["-k", "no_test_is_called_so"], 5)])
def test_the_exit_code_is_pytests(options: list[str], code: int) -> None:
    """The first of them runs the checks of what can be imported."""
    assert alone.main(["harbour", "-q", *options]) == code


def test_a_test_that_fails_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.copy(alone.ROOT, tmp_path, ["network_configuration"])
    failing = tmp_path / "tests" / "contracts" / "network_configuration" / "test_failing.py"
    failing.write_text("def test_the_orchestrator_is_in_reach():\n    import orchestrator\n", encoding="utf-8")
    (tmp_path / "tests" / "alone" / "__main__.py").touch()
    (tmp_path / "tests" / "contracts" / "test_everybodys.py").touch()
    monkeypatch.setattr(alone, "ROOT", tmp_path)
    assert alone.main(["harbour", "-q", "-k", "in_reach"]) == 1
