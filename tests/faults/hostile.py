"""Messages that nobody should have sent: valid ones of a component, changed in many ways, with values that hypothesis makes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.runtime.text import printable

Json = dict[str, Any]
T = TypeVar("T")

VALUES = 1000
"""How often hypothesis is asked for one."""

NAMES = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "runid",
    "traceparent",
    "mode",
    "style",
    "data",
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["", "\0", "\ufeff", "\u202e", "\U0001f967", "../..", "{}", "null", "x" * 3000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)

RAW = (
    *("NaN", "-Infinity", "1e999", "-0", "0x10", "9" * 4000, "9" * 5000, "\\u0000"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\', "\t"),
    *("[" * depth + "]" * depth for depth in (50, 199, 200, 201, 5000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (50, 201, 3000)),
)
"""Written into the JSON as they are."""

TOKENS = (
    *(
        {"DataType": "String", "StringValue": text}
        for text in ("x", "t" * 1024, "t" * 3000, "AAAA/b=", "\u00fc\U0001f967", "not a token", "{}", "'; --")
    ),
    {"DataType": "Number", "StringValue": "7"},
    {"DataType": "String.custom", "StringValue": "t"},
    {"DataType": "Binary", "BinaryValue": b"\0\xff token"},
)


@dataclass(frozen=True)
class Hostile:
    body: str
    attributes: Any


def hostile_messages(valid: Sequence[str], count: int, seed: int = 1) -> list[Hostile]:
    """So many different ones that SQS takes: it refuses some characters, and an empty body."""
    random, found = Random(seed), dict[str, Hostile]()
    values, texts = examples(VALUE), examples(TEXT)
    while len(found) < count:
        text = random.choice(valid)
        how = random.randrange(10)
        if how < 7:
            text = changed(random, json.loads(text), values, texts)
        if how > 5:
            text = damaged(random, text, texts)
        if text and printable(text) == text:
            found[text] = Hostile(text, attributes(random))
    return list(found.values())


def examples(strategy: st.SearchStrategy[T]) -> list[T]:
    """The same each time."""
    found: list[T] = []

    @settings(
        max_examples=VALUES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def gather(one: T) -> None:
        found.append(one)

    gather()
    return found


def changed(random: Random, envelope: Json, values: list[Any], texts: list[str]) -> str:
    """Something in it is of another type or value, gone, there without having been asked for, or there twice."""
    container, key = random.choice(list(_places(envelope)))
    how = random.choice(("changed", "raw", "removed", "added", "twice"))
    if how == "removed":
        del container[key]
    elif how == "added":
        envelope[random.choice(texts)] = random.choice(values)
    elif how != "twice":
        container[key] = "-hole-" if how == "raw" else random.choice(values)
    text = json.dumps(envelope, ensure_ascii=random.random() < 0.5)
    if how == "raw":
        return text.replace('"-hole-"', random.choice(RAW))
    if how == "twice":
        pair = f"{json.dumps(random.choice(NAMES))}: {json.dumps(random.choice(values))}"
        return f"{{{pair}, {text[1:]}" if random.random() < 0.5 else f"{text[:-1]}, {pair}}}"
    return text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in the value with each of its keys."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def damaged(random: Random, text: str, texts: list[str]) -> str:
    """As by a broken line or disk."""
    place, how = random.randrange(len(text)), random.randrange(6)
    if how == 0:
        return text[:place]
    if how == 1:
        return text[place:]
    if how == 2:
        return text[:place] + text
    if how == 3:
        return text[:place] + random.choice(texts) + text[place:]
    if how == 4:
        return text + " " * random.choice((1, 60_000, 70_000, 300_000))
    body = bytearray(text.encode())
    for _ in range(random.randint(1, 4)):
        body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return body.decode(errors="replace")


def attributes(random: Random) -> Any:
    """A task token of all kinds, and one that only events have."""
    chosen: Json = {}
    if random.random() < 0.1:
        chosen["taskToken"] = random.choice(TOKENS)
    if random.random() < 0.1:
        chosen["type"] = {"DataType": "String", "StringValue": random.choice(("x", "{}", "y" * 5000))}
    return chosen
