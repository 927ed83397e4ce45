"""What a change of the contracts breaks, and for whom: two sets of schemas, compared edge by edge. Pure.

`backward`: a new consumer reads old messages, those in flight and the answers of earlier runs. `forward`: a consumer that
is not deployed again yet reads new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.compatibility.schemas import Documents, Json
from orchestrator.compatibility.status import later_version
from orchestrator.compatibility.subset import refusal
from orchestrator.compatibility.walk import Gap, gaps

Direction = Literal["backward", "forward"]
Finding = tuple[str, Direction, Gap, str]
"""The message that is not understood, in which direction, what of it, and who does not."""

OUTSIDE = "readers outside the pipelines"


@dataclass(frozen=True)
class Break:
    """One thing that somebody does not understand any more. `replaced_by` names the new version it comes with."""

    message: str
    direction: Direction
    path: str
    kind: str
    what: str
    consumers: tuple[str, ...]
    replaced_by: str | None = None


@dataclass(frozen=True)
class Change:
    """A message that is not what it was."""

    message: str
    how: Literal["added", "changed", "removed"]
    breaks: tuple[Break, ...] = ()

    def compatible(self, direction: Direction) -> bool:
        return not any(each.direction == direction for each in self.breaks)


def compare(old: Documents, new: Documents) -> tuple[Change, ...]:
    """Every message that changed, by name, with what the change breaks."""
    findings = (*_between(old, new, "backward"), *_between(new, old, "forward"), *_outside(old, new))
    consumers: dict[tuple[str, Direction, Gap], list[str]] = {}
    for message, direction, gap, consumer in findings:
        consumers.setdefault((message, direction, gap), []).append(consumer)
    breaks = [
        Break(message, direction, gap.path, gap.kind, gap.what, tuple(dict.fromkeys(who)), _replacement(message, new))
        for (message, direction, gap), who in consumers.items()
    ]
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return tuple(
        Change(
            name,
            "added" if name not in old else "removed" if name not in new else "changed",
            tuple(each for each in breaks if each.message == name),
        )
        for name in sorted(changed | {each.message for each in breaks})
    )


def failing(changes: tuple[Change, ...]) -> tuple[Break, ...]:
    """The breaks that come without a new version."""
    return tuple(each for change in changes for each in change.breaks if each.replaced_by is None)


def _between(writers: Documents, readers: Documents, direction: Direction) -> Iterator[Finding]:
    """What the messages of one side are to the consumers of the other."""
    commands = {name: document for name, document in readers.items() if "x-fills" in document}
    for name, command in commands.items():
        who = f"{command['x-squad']} ({command['x-component']})"
        for field, fill in command["x-fills"].items():
            event = fill["message"]
            if event not in writers:
                if direction == "forward":
                    yield event, direction, Gap("", "version", "is no longer given"), who
            elif command != writers.get(name) or writers[event] != readers.get(event):
                for gap in _filling_gaps(writers[event], command, field, fill):
                    yield event, direction, gap, who
        if name in writers:
            for gap in _rearranged(writers, writers[name]["x-fills"], command):
                yield name, direction, gap, who


def _rearranged(writers: Documents, fills: Json, command: Json) -> Iterator[Gap]:
    """A command under way when its component is deployed: its fields may be filled from elsewhere, or not at all."""
    for field in command.get("required", []):
        if field not in fills:
            yield Gap(field, "missing", "is needed and not in the commands of the other side")
    for field, fill in command["x-fills"].items():
        filled = fills.get(field, fill)
        if filled != fill and not _together(writers, filled, fill):
            for gap in _filling_gaps(writers[filled["message"]], command, field, filled):
                yield Gap(_under(field, gap.path), gap.kind, gap.what)


def _together(writers: Documents, filled: Json, fill: Json) -> bool:
    """Whether what filled the field holds, inside, what is taken from it now: its giver gave both versions."""
    return {**filled, "message": ""} == {**fill, "message": ""} and outermost(writers, filled) == outermost(
        writers, fill
    )


def outermost(documents: Documents, fill: Json) -> str:
    """The message that is sent: this one, or the version that it is inside of."""
    message: str = fill["message"]
    return str(documents.get(message, {}).get("x-inside", message))


def _filling_gaps(event: Json, command: Json, field: str, fill: Json) -> list[Gap]:
    """An event against the field of a command that it fills. Paths are the event's."""
    reader = command["properties"][field]
    reader = _part(command, reader.get("items", {}) if fill.get("many") else reader)
    if "entry-of" not in fill:
        return _gaps(event, "", reader)
    entries = event["properties"].get(fill["entry-of"], {})
    if "items" not in entries:
        return [Gap(fill["entry-of"], "missing", "is mapped over and no longer a list that is given")]
    return _gaps(_part(event, entries["items"]), f"{fill['entry-of']}[]", reader)


def _outside(old: Documents, new: Documents) -> Iterator[Finding]:
    """Readers of announced events are not known: they may rely on all that was ever given."""
    for name in old.keys() & new.keys():
        if old[name] == new[name] or not old[name].get("x-announced"):
            continue
        for gap in _gaps(old[name], "", as_reader(new[name])):
            yield name, "backward", gap, OUTSIDE
        for gap in _gaps(new[name], "", as_reader(old[name])):
            yield name, "forward", gap, OUTSIDE
    for name in old.keys() - new.keys():
        if old[name].get("x-announced"):
            yield name, "forward", Gap("", "version", "is no longer given"), OUTSIDE


def _gaps(writer: Json, at: str, reader: Json) -> list[Gap]:
    """The walk names each; where it finds none, jsoncompat is asked as well."""
    found = [Gap(_under(at, gap.path), gap.kind, gap.what) for gap in gaps(writer, reader)]
    if found:
        return found
    reason = refusal(writer, reader)
    return [Gap(at, "unknown", reason)] if reason else []


def _part(document: Json, schema: Json) -> Json:
    return {**schema, "$defs": document.get("$defs", {})}


def as_reader(schema: Any) -> Any:
    """An event's schema as its readers have it: a field with a default may be missing."""
    if isinstance(schema, list):
        return [as_reader(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: value if key in ("default", "enum", "const") else as_reader(value) for key, value in schema.items()}
    if isinstance(schema.get("required"), list):
        properties = schema.get("properties", {})
        inner["required"] = [name for name in schema["required"] if "default" not in properties.get(name, {})]
    return inner


def _replacement(message: str, new: Documents) -> str | None:
    """The later version of a removed message. What keeps its version must keep its readers."""
    return None if message in new else later_version(message, new)


def _under(at: str, path: str) -> str:
    return f"{at}.{path}" if at and path and not path.startswith("[") else f"{at}{path}"
