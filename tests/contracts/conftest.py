"""Fixtures of the contract tests."""

import pytest


@pytest.fixture(autouse=True)
def _pact_reports_no_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pact's verifier would send statistics of its use."""
    monkeypatch.setenv("PACT_DO_NOT_TRACK", "true")
