"""Handlers that give less than they did."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pact.types import Message

from contracts.component import Component
from contracts.message import DatasetRef, Event
from services.runtime.context import Context, Files
from tests.contracts.consumer import Handler
from tests.contracts.provider import message_of


@dataclass(frozen=True)
class FilesWithout:
    """Files whose tables are written without a column."""

    files: Files
    column: str

    def read(self, ref: DatasetRef) -> pa.Table:
        return self.files.read(ref)

    def write(self, name: str, table: pa.Table, schema_version: int) -> DatasetRef:
        return self.files.write(
            name, table.select([name for name in table.column_names if name != self.column]), schema_version
        )

    def write_bytes(self, name: str, body: bytes, content_type: str) -> str:
        return self.files.write_bytes(name, body, content_type)

    def folder(self, name: str) -> str:
        return self.files.folder(name)

    def read_folder(self, uri: str) -> dict[str, bytes]:
        return self.files.read_folder(uri)


def without_column(handle: Handler, column: str) -> Handler:
    def slimmer(inputs: Any, ctx: Context) -> Event:
        return handle(inputs, replace(ctx, files=FilesWithout(ctx.files, column)))

    return slimmer


def message_without(answer: Event, provider: Component, *path: str) -> Callable[[], Message]:
    """How to get the message of an answer that lacks a field."""

    def give() -> Message:
        message = message_of(answer, provider)
        body = json.loads(message["contents"])
        place = body
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
        return Message(
            contents=json.dumps(body).encode(), metadata=message["metadata"], content_type="application/json"
        )

    return give
