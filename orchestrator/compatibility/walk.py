"""What a reader would not understand of what a writer may give: a walk over two JSON Schemas, field by field.

The writer's schema is closed, what it does not name it does not give; the reader's is open, what it does not name it
drops. Knows the keywords that pydantic writes. Where it cannot tell it says that the reader may not understand: a changed
pattern, for instance, is never compared. So an empty answer can be relied on, up to validators that no schema shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
OPAQUE = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "propertyNames", "patternProperties")
"""Only understood when the writer has the same."""
PROSE = ("title", "description", "default", "examples", "deprecated", "discriminator", "readOnly", "writeOnly")
UNDERSTOOD = {
    *LOWER, *UPPER, *OPAQUE, *PROSE,
    "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "enum", "items", "oneOf", "prefixItems",
    "properties", "required", "type",
}  # fmt: skip
NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
    list: "array",
    dict: "object",
}


@dataclass(frozen=True, order=True)
class Gap:
    """One thing the reader does not understand. `path` names fields, with [] for entries of a list and * for any key."""

    path: str
    kind: str
    what: str


@dataclass(frozen=True)
class Side:
    """A schema and the root its references are relative to."""

    schema: Json
    root: Json

    def at(self, schema: Any) -> "Side":
        """A part of this schema, its references followed. True, anything at all, is the empty schema."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = self.root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return Side({} if schema is True else {"enum": []} if schema is False else schema, self.root)

    @property
    def variants(self) -> tuple["Side", ...]:
        """What it may be one of: branches, types or values."""
        branches = self.schema.get("anyOf") or self.schema.get("oneOf")
        if branches:
            return tuple(each for branch in branches for each in self.at(branch).variants)
        if isinstance(self.schema.get("type"), list):
            return tuple(self.at({**self.schema, "type": one}) for one in self.schema["type"])
        return (self,)

    @property
    def values(self) -> tuple[Any, ...] | None:
        """The values it is limited to."""
        if "const" in self.schema:
            return (self.schema["const"],)
        return tuple(self.schema["enum"]) if "enum" in self.schema else None

    @property
    def type(self) -> str | None:
        return self.schema.get("type")


def gaps(writer: Json, reader: Json, writer_root: Json | None = None, reader_root: Json | None = None) -> list[Gap]:
    """Everything a writer may give that the reader does not take. The roots hold `$defs`, where the schemas are parts."""
    left = Side(writer, writer_root or writer)
    right = Side(reader, reader_root or reader)
    return sorted(set(_walk(left.at(writer), right.at(reader), "", ())))


def _walk(left: Side, right: Side, path: str, above: tuple[tuple[int, int], ...]) -> Iterator[Gap]:
    """`above` are the pairs being compared: one that refers to itself is as compatible as the rest of it."""
    pair = (id(left.schema), id(right.schema))
    if pair in above:
        return
    for one in left.variants:
        found = [list(_compare(one, other, path, (*above, pair))) for other in right.variants]
        if all(found):
            yield from _closest(one, right, found, path)


def _closest(one: Side, right: Side, found: list[list[Gap]], path: str) -> list[Gap]:
    """The gaps to the variant that was meant: the one of the same type."""
    alike = [each for each, other in zip(found, right.variants, strict=True) if other.type == one.type]
    if alike:
        return min(alike, key=len)
    if one.type == "null":
        return [Gap(path, "null", "may be null, which is not taken")]
    return min(found, key=len)


def _compare(left: Side, right: Side, path: str, above: tuple[tuple[int, int], ...]) -> Iterator[Gap]:
    unknown = sorted(key for key in right.schema.keys() - UNDERSTOOD if not key.startswith("x-"))
    if unknown:
        yield Gap(path, "unknown", f"the reader's schema has {', '.join(unknown)}, which is not compared")
    if left.values is not None:
        for value in left.values:
            yield from _value(value, right, path)
        return
    if right.values is not None:
        yield Gap(path, "value", f"may be other than {_listed(right.values)}")
        return
    if not _takes_type(left.type, right.type):
        yield Gap(path, "type", f"is {left.type or 'anything'}, {right.type} is taken")
        return
    yield from _bounds(_whole(left.schema) if left.type == "integer" else left.schema, right.schema, path)
    if left.type == "object":
        yield from _object(left, right, path, above)
    if left.type == "array":
        yield from _array(left, right, path, above)


def _value(value: Any, right: Side, path: str) -> Iterator[Gap]:
    if right.values is not None:
        if not any(value == other and type(value) is type(other) for other in right.values):
            yield Gap(path, "value", f"may be {value!r}, {_listed(right.values)} is taken")
        return
    kind = NAMES[type(value)]
    if not _takes_type(kind, right.type):
        yield Gap(path, "type", f"may be {value!r}, {right.type} is taken")
        return
    exact: Json = {}
    if kind in ("integer", "number"):
        exact = {"minimum": value, "maximum": value}
    elif kind == "string":
        exact = {"minLength": len(value), "maxLength": len(value)}
    yield from _bounds(exact, right.schema, path)


def _bounds(left: Json, right: Json, path: str) -> Iterator[Gap]:
    for name in (*LOWER, *UPPER):
        if name in right and not _within(left, name, right[name]):
            yield Gap(path, "bound", f"{name} {right[name]} is asked, {left.get(name, 'none')} is kept")
    for name in OPAQUE:
        if name in right and left.get(name) != right[name]:
            yield Gap(path, "pattern" if name == "pattern" else "form", f"{name} {right[name]} is asked")


def _whole(schema: Json) -> Json:
    """Over -1 is from 0 on, for an integer."""
    closed = dict(schema)
    if isinstance(low := schema.get("exclusiveMinimum"), int):
        closed["minimum"] = max(low + 1, schema.get("minimum", low + 1))
    if isinstance(high := schema.get("exclusiveMaximum"), int):
        closed["maximum"] = min(high - 1, schema.get("maximum", high - 1))
    return closed


def _within(left: dict[str, float], name: str, limit: float) -> bool:
    """Whether the writer's bounds keep it within one of the reader's, inclusive ones and exclusive ones together."""
    other = {
        "minimum": "exclusiveMinimum",
        "maximum": "exclusiveMaximum",
        "exclusiveMinimum": "minimum",
        "exclusiveMaximum": "maximum",
    }.get(name, name)
    sign = 1 if name in LOWER else -1
    if name in left and sign * left[name] >= sign * limit:
        return True
    if other not in left:
        return name in ("minLength", "minItems", "minProperties") and limit <= 0
    strict = name.startswith("exclusive")  # then an inclusive bound of the writer must be further in
    return sign * left[other] > sign * limit if strict else sign * left[other] >= sign * limit


def _object(left: Side, right: Side, path: str, above: tuple[tuple[int, int], ...]) -> Iterator[Gap]:
    given, taken = left.schema.get("properties", {}), right.schema.get("properties", {})
    always, needed = left.schema.get("required", []), right.schema.get("required", [])
    more = left.schema.get("additionalProperties", False)
    for name in needed:
        if name not in always:
            absent = name not in given and more is False
            what = "is needed and not given" if absent else "is needed and may be missing"
            yield Gap(_join(path, name), "missing", what)
    for name, schema in taken.items():
        if name in given or more is not False:
            yield from _walk(left.at(given.get(name, more)), right.at(schema), _join(path, name), above)
    rest = right.schema.get("additionalProperties", True)
    if rest is not True:  # the reader is a map, whose keys are not all known; a model never asks this
        for name in given.keys() - taken.keys():
            yield from _walk(left.at(given[name]), right.at(rest), _join(path, name), above)
        if more is not False:
            yield from _walk(left.at(more), right.at(rest), _join(path, "*"), above)


def _array(left: Side, right: Side, path: str, above: tuple[tuple[int, int], ...]) -> Iterator[Gap]:
    ours, theirs = left.schema.get("prefixItems", []), right.schema.get("prefixItems", [])
    for place in range(max(len(ours), len(theirs))):
        one = ours[place] if place < len(ours) else left.schema.get("items", True)
        other = theirs[place] if place < len(theirs) else right.schema.get("items", True)
        if left.schema.get("maxItems", place + 1) > place:
            yield from _walk(left.at(one), right.at(other), f"{path}[{place}]", above)
    if left.schema.get("maxItems", len(ours) + 1) > len(ours):
        yield from _walk(
            left.at(left.schema.get("items", True)), right.at(right.schema.get("items", True)), f"{path}[]", above
        )


def _takes_type(given: str | None, taken: str | None) -> bool:
    return taken is None or given == taken or (given, taken) == ("integer", "number")


def _listed(values: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, values))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
