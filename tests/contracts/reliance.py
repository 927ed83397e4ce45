"""What a component relies on in another's message, by example, and the pact that says so.

An example is plain JSON: of a list one entry, a `date` where its ISO string stands, and a table where the reference to a
dataset stands. The pact asks for the same types, and for the table's columns.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pact import Pact, match

from contracts.component import Component
from contracts.message import Event, classes_of
from services.runtime import parquet

Json = dict[str, Any]

PACTS = Path(__file__).parents[2] / "contracts" / "pacts"


@dataclass(frozen=True)
class Own:
    """A dataset of the component's own, from an earlier run: others only keep the whole reference to it."""

    table: pa.Table


Example = Any
"""A string, a date, a number, a list of one example, examples by name, a table, or a table of one's own."""


@dataclass(frozen=True)
class Reliance:
    """What is relied on in the message of one provider, when it is in the state `given`.

    `others` are further messages of the same shape, where a component takes many of them and one alone tells too little.
    """

    provider: Component
    given: str
    message: Mapping[str, Example]
    others: tuple[Mapping[str, Example], ...] = ()


def taken(consumer: Component, provider: Component) -> type[Event]:
    """The version of the provider's message that the consumer's command takes."""
    fields = (version for _, _, version in classes_of(consumer.input) if issubclass(version, Event))
    return next((version for version in fields if version in provider.gives), provider.output)


def columns_of(body: bytes) -> dict[str, str]:
    """Name and type of the columns of a Parquet file."""
    schema = pq.read_schema(pa.BufferReader(body))
    return {field.name: str(field.type) for field in schema}


def column_key(path: str, column: str) -> str:
    """The key of the message's metadata that holds a column's type. `path` is the field with the dataset's reference."""
    return f"column {column} of {path}"


def datasets(value: Example, path: str = "") -> Iterator[tuple[str, pa.Table | Own]]:
    """Every dataset of an example, with the path of the field that refers to it."""
    if isinstance(value, (pa.Table, Own)):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from datasets(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from datasets(inner, f"{path}[]")


def as_json(value: Example, path: str = "") -> Any:
    """The example as JSON; a dataset's reference is made from its path."""
    if isinstance(value, (pa.Table, Own)):
        reference = {"uri": f"s3://bucket/{path}.parquet", "sha256": hashlib.sha256(path.encode()).hexdigest()}
        return reference | ({"rows": value.table.num_rows} if isinstance(value, Own) else {})
    if isinstance(value, Mapping):
        return {name: as_json(inner, f"{path}.{name}" if path else name) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner, f"{path}[]") for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def expected(value: Example, path: str = "") -> Any:
    """The example as pact's matchers: the same types, at least one entry in a list, and additional fields are fine."""
    if isinstance(value, (pa.Table, Own)):
        reference = as_json(value, path)
        types = {name: match.type(inner) for name, inner in reference.items()}
        return types | {"sha256": match.regex(reference["sha256"], regex="^[0-9a-f]{64}$")}
    if isinstance(value, Mapping):
        return {name: expected(inner, f"{path}.{name}" if path else name) for name, inner in value.items()}
    if isinstance(value, list):
        (entry,) = value
        return match.each_like(expected(entry, f"{path}[]"), min=1)
    if isinstance(value, date):
        return match.regex(value.isoformat(), regex=r"^\d{4}-\d{2}-\d{2}$")
    return match.number(value) if isinstance(value, float) else match.type(value)


def pact_of(consumer: Component, reliance: Reliance) -> Pact:
    provider = reliance.provider
    columns: dict[str, object] = {
        column_key(path, name): kind
        for path, table in datasets(reliance.message)
        if isinstance(table, pa.Table)
        for name, kind in columns_of(parquet.encode(table)).items()
    }
    pact = Pact(consumer.name, provider.name).with_specification("V4")
    pact.with_metadata("squads", {"consumer": consumer.squad, "provider": provider.squad})
    (
        pact.upon_receiving(taken(consumer, provider).wire_type(), "Async")
        .given(reliance.given)
        .with_body(expected(reliance.message), content_type="application/json")
        .with_metadata(columns)
    )
    return pact


def document_of(pact: Pact) -> str:
    """The pact as it is committed: the same bytes each time, whatever version of the library wrote it."""
    with tempfile.TemporaryDirectory() as folder:
        pact.write_file(folder)
        (file,) = Path(folder).iterdir()
        document = json.loads(file.read_text(encoding="utf-8"))
    del document["metadata"]["pactRust"]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def file_of(consumer: Component, provider: Component) -> Path:
    return PACTS / f"{consumer.name}-{provider.name}.json"
