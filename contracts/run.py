"""What somebody asks for when a run starts."""

from datetime import date
from typing import Any, Final

from pydantic import Field

from contracts.errors import BadRequest
from contracts.message import Frozen

SCHEDULED: Final = "scheduled"
"""The style of before: each component on its own clock, none told of another's answer. Measured, not operated."""


class RunRequest(Frozen):
    """A run, pinned: the date it plans from, the version of each flagged component, the seed of its random draws.

    `versions` lists `component=version`. The same list travels as a message attribute, which subscriptions filter on, and
    as a field of the execution's input, which the state machine's Choice reads.
    """

    run_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    pipeline: str
    date: date
    seed: int = 1
    versions: tuple[str, ...] = ()

    def version_of(self, component: str, only: str) -> str:
        """The version pinned for a component; `only`, the one it has, when there was nothing to choose."""
        prefix = f"{component}="
        return next((v.removeprefix(prefix) for v in self.versions if v.startswith(prefix)), only)


def pin_versions(available: dict[str, tuple[str, ...]], flags: dict[str, Any]) -> tuple[str, ...]:
    """The version of every flagged component: the flag's, or the component's first.

    Raises BadRequest for a flag that no component has.
    """
    flagged = {name: versions for name, versions in available.items() if len(versions) > 1}
    for name, version in flags.items():
        if name not in flagged:
            known = ", ".join(sorted(flagged)) or "none"
            raise BadRequest(f"unknown flag '{name}': components with versions to choose from are {known}")
        if version not in flagged[name]:
            raise BadRequest(f"{name} has no version '{version}': choose one of {', '.join(flagged[name])}")
    return tuple(f"{name}={flags.get(name, versions[0])}" for name, versions in sorted(flagged.items()))
