"""Who gives and who takes which version of a message, and which version nobody takes any more."""

from dataclasses import dataclass

from orchestrator.compatibility.schemas import REQUEST, Documents


@dataclass(frozen=True)
class Version:
    """One version of an event. `takers_before` are its consumers at the revision that may still be deployed."""

    message: str
    giver: str
    squad: str
    takers: tuple[str, ...]
    takers_before: tuple[str, ...]
    announced: bool
    superseded_by: str | None

    @property
    def may_go(self) -> bool:
        """A later version is given, and nobody takes this one: neither now nor in what may still be deployed."""
        return bool(self.superseded_by) and not (self.takers or self.takers_before or self.announced)

    @property
    def verdict(self) -> str:
        if self.superseded_by is None:
            return "current"
        if self.may_go:
            return "can go"
        waiting = dict.fromkeys((*self.takers, *self.takers_before))
        return f"kept for {', '.join(waiting) or 'readers outside the pipelines'}"


def status(before: Documents, now: Documents) -> tuple[Version, ...]:
    """Every event that is given now, by name."""
    return tuple(
        Version(
            message=name,
            giver=document["x-component"],
            squad=document["x-squad"],
            takers=_takers(now, name),
            takers_before=_takers(before, name),
            announced=bool(document.get("x-announced")),
            superseded_by=later_version(name, now),
        )
        for name, document in sorted(now.items())
        if "x-fills" not in document and name != REQUEST
    )


def _takers(documents: Documents, message: str) -> tuple[str, ...]:
    return tuple(
        f"{document['x-squad']} ({document['x-component']})"
        for document in documents.values()
        if any(fill["message"] == message for fill in document.get("x-fills", {}).values())
    )


def later_version(message: str, documents: Documents) -> str | None:
    """The newest version of a message, when there is one after this."""
    stem, _, version = message.rpartition(".v")
    versions = [int(other.rpartition(".v")[2]) for other in documents if other.rpartition(".v")[0] == stem]
    newest = max(versions, default=0)
    return f"{stem}.v{newest}" if newest > int(version) else None
