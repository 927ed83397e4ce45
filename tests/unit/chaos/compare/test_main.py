"""`python -m chaos.compare`, as far as it can be wrong before anything is started."""

import sys
import tempfile

import pytest

from chaos.compare.__main__ import main


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["chaos.compare", *words, "--out", "nowhere"])
    return main()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("lunch",), "nothing is known of 'lunch' but its name"),
        (("lunch", "--subject", "examples.lunch"), "no module examples.lunch is found"),
        (("lunch", "--subject", "examples.two_stations"), "examples.two_stations is about two-stations, not lunch"),
    ],
)
def test_a_pipeline_that_is_not_found_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: pytest.fail("a folder was made"))
    assert asked(monkeypatch, *words) == 2
    assert why in capfd.readouterr().err


def test_a_style_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        asked(monkeypatch, "order-simulation", "--styles", "scheduled,improvised")
    assert "no style is named improvised" in capfd.readouterr().err
