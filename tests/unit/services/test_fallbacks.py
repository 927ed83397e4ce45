"""The declaration of a fallback and its code go together."""

from pathlib import Path

import pytest

from contracts.component import Component
from contracts.pipelines import all_components
from services.runtime.handlers import find_fallback

SERVICES = Path(__file__).parents[3] / "services"


@pytest.mark.parametrize("component", all_components(), ids=lambda component: component.name)
def test_a_component_declares_a_fallback_exactly_when_it_has_one(component: Component) -> None:
    assert component.fallback == (SERVICES / component.module / "fallback.py").exists()
    assert callable(find_fallback(component)) == component.fallback
