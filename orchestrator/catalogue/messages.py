"""A message on the catalogue page: its fields, its schema, an example."""

import json
import re
from typing import Any

from orchestrator.catalogue.content import Content, Taken
from orchestrator.page.markup import Markup, el, join
from orchestrator.page.words import pretty

Json = dict[str, Any]

_KINDS = {"string": "text", "boolean": "true or false", "object": "object", "null": "null"}


def message(content: Content, name: str, kind: str, filled: tuple[Taken, ...] = ()) -> Markup:
    """`filled` says, for a command, where its fields come from."""
    document = content.documents[name]
    return el(
        "article",
        el("h4", el("code", name), " ", el("small", kind)),
        prose(document.get("description", "")),
        _fields(document, {taken.field: taken for taken in filled}),
        _block("Schema", json.dumps(document, indent=2, ensure_ascii=False), name),
        _block("Example", pretty(content.examples[name]), name),
        id=name,
        class_="message",
    )


def prose(text: str) -> Markup:
    """Paragraphs; what stands between backticks is code."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n") if part.strip())
    return join(*(el("p", *_words(paragraph)) for paragraph in paragraphs))


def _words(paragraph: str) -> list[str]:
    parts = re.split(r"`([^`]+)`", paragraph)
    return [el("code", part) if number % 2 else part for number, part in enumerate(parts)]


def _fields(document: Json, filled: dict[str, Taken]) -> Markup:
    always = document.get("required", ())
    rows = [_field(name, schema, filled.get(name), name in always) for name, schema in document["properties"].items()]
    head = el("tr", el("th", "Field", scope="col"), el("th", "Type", scope="col"), el("th", "Note", scope="col"))
    caption = el("caption", f"The fields of {document['title']}")
    return el("table", caption, el("thead", head), el("tbody", *rows), class_="fields")


def _field(name: str, schema: Json, taken: Taken | None, always: bool) -> Markup:
    note = _origin(taken) if taken else None if always else "left out when empty"
    return el("tr", el("th", el("code", name), scope="row"), el("td", typed(schema)), el("td", note))


def _origin(taken: Taken) -> Markup:
    source = taken.message if taken.giver is None else el("a", taken.message, href=f"#{taken.message}")
    if taken.entry_of:
        return join("one of ", el("code", taken.entry_of), " of ", source)
    return join("all of ", source) if taken.many else join("from ", source)


def typed(schema: Json) -> str:
    """A schema in a few words: `list of MenuWeek`, `number over 0`, `DatasetRef or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(typed(each) for each in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {typed(schema.get('items', {}))}"
    if kind == "object" and isinstance(inner := schema.get("additionalProperties"), dict):
        return f"map to {typed(inner)}"
    return f"{schema.get('format') or _KINDS.get(kind, kind)}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "over", "maximum": "to", "exclusiveMaximum": "under"}
    return "".join(f" {word} {schema[keyword]:g}" for keyword, word in words.items() if keyword in schema)


def _block(name: str, text: str, of: str) -> Markup:
    body = el("pre", text, tabindex=0, aria_label=f"{name} of {of}")
    return el("details", el("summary", name), body, class_="block")
