"""The consumer's side: are its pacts the committed ones, do they suffice for its handlers, do they say no more?"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pyarrow as pa
import pytest

from contracts.component import Component
from contracts.graph import Node
from contracts.message import Command, Event
from contracts.pipelines import PIPELINES
from services.runtime.context import Context, Statement
from services.runtime.testing import local_context
from tests.contracts.amazon_forecast import asked, making
from tests.contracts.complete import complete
from tests.contracts.reliance import PACTS, Example, Json, Own, Reliance, as_json, document_of, file_of, pact_of, taken

Handler = Callable[[Any, Context], Event]
Connect = Callable[[], AbstractContextManager[psycopg.Connection]]

WRITE = "WRITE_PACTS"
"""With this in the environment, as `make pacts` has it, the tests write the pacts before they compare."""


@dataclass(frozen=True)
class Consumer:
    """A component, what it relies on in the messages it takes, and its code: every version's handler, and its fallback."""

    component: Component
    relies_on: tuple[Reliance, ...]
    handlers: tuple[Handler, ...]

    @property
    def node(self) -> Node:
        return next(n for p in PIPELINES for n in p.graph.nodes if n.component == self.component.name)


class ConsumerTests:
    """Every consumer's tests: a squad's class derives from this and names its `consumer`."""

    consumer: ClassVar[Consumer]

    @pytest.fixture
    def connect(self) -> Connect | None:
        """How the handlers reach a database, for those who need one."""
        return None

    def test_its_pacts_are_the_committed_ones(self) -> None:
        component = self.consumer.component
        stated = {
            file_of(component, each.provider): document_of(pact_of(component, each)) for each in self.consumer.relies_on
        }
        if os.environ.get(WRITE):
            _write(component, stated)
        committed = {path: path.read_text(encoding="utf-8") for path in _files_of(component)}
        stale = sorted(
            path.name for path in stated.keys() | committed.keys() if stated.get(path) != committed.get(path)
        )
        assert not stale, (
            f"contracts/pacts/{', '.join(stale)}: not what the tests state; run `make pacts` and commit it"
        )

    def test_what_it_relies_on_suffices(self, tmp_path: Path, connect: Connect | None) -> None:
        """The messages that pact makes of the statements go through the component's command into its handlers.

        What the command has beyond them is made up in two ways, and makes no difference.
        """
        received: dict[str, Json] = {}
        for each in self.consumer.relies_on:
            pact_of(self.consumer.component, each).verify(_receiver(received, each.provider.name), "Async")
        assert received == {each.provider.name: as_json(each.message) for each in self.consumer.relies_on}
        little = run(self.consumer, self.consumer.relies_on, tmp_path, connect)
        much = run(self.consumer, self.consumer.relies_on, tmp_path, connect, optional=True)
        assert little == much, f"{self.consumer.component.name} reads more than its pacts say: state that as well"

    def test_it_relies_on_nothing_that_does_not_matter(self, tmp_path: Path, connect: Connect | None) -> None:
        """Without any one of the fields and columns it states, a handler fails or does something else."""
        whole = run(self.consumer, self.consumer.relies_on, tmp_path, connect)
        assert run(self.consumer, self.consumer.relies_on, tmp_path, connect) == whole, "the same gives the same"
        idle = [
            f"{reliance.provider.name}: {what}"
            for reliance in self.consumer.relies_on
            for what, changed in reliances_without_one(reliance)
            if self._outcome_with(reliance, changed, tmp_path, connect) == whole
        ]
        assert not idle, f"nobody reads {', '.join(idle)}: state only what the handlers rely on"

    def _outcome_with(self, reliance: Reliance, changed: Reliance, folder: Path, connect: Connect | None) -> object:
        relies_on = [changed if each is reliance else each for each in self.consumer.relies_on]
        try:
            return run(self.consumer, relies_on, folder, connect)
        except Exception as error:
            return type(error)


def cook(
    consumer: Consumer, relies_on: Sequence[Reliance], folder: Path, connect: Connect | None, optional: bool = False
) -> Iterator[tuple[Event, Context]]:
    """Each handler's answer to the messages, and its context; its files are below one folder of its own."""
    command = command_of(consumer, relies_on, local_context(folder / "given", "others"), optional)
    for number, handle in enumerate(consumer.handlers):
        ctx = local_context(folder / f"{number}", consumer.component.name, forecasting=making())
        ctx = replace(ctx, failure="it was to fail")
        ctx = replace(ctx, connect=connect) if connect else ctx
        yield handle(command, ctx), ctx


def run(
    consumer: Consumer, relies_on: Sequence[Reliance], folder: Path, connect: Connect | None, optional: bool = False
) -> list[tuple[Json, dict[str, bytes], list[Statement], list[Json]]]:
    """Each handler's answer to the messages, the files it wrote, and what it has the database and Amazon Forecast do."""
    found = []
    for number, (answer, ctx) in enumerate(cook(consumer, relies_on, folder, connect, optional)):
        out = folder / f"{number}"
        files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.*"))}
        found.append((answer.model_dump(mode="json"), files, ctx.statements, asked(ctx)))
    return found


def command_of(consumer: Consumer, relies_on: Sequence[Reliance], ctx: Context, optional: bool = False) -> Command:
    """The component's command, filled as its place in the pipeline says; the messages with all that is `optional`, or none."""
    messages: dict[str, list[Json]] = {}
    for each in relies_on:
        stored = [
            _stored(message, ctx, f"{each.provider.name}-{number}")
            for number, message in enumerate((each.message, *each.others))
        ]
        messages[each.provider.name] = [
            complete(taken(consumer.component, each.provider), as_json(message), optional) for message in stored
        ]
    node = consumer.node
    data: Json = {}
    for need in node.needs:
        found = messages[need.component]
        data[need.field] = found if need.how == "all" else found[0]
    if node.over and node.item_field:
        data[node.item_field] = data["plan"][node.over][0]
    return consumer.component.input.model_validate(data)


def reliances_without_one(reliance: Reliance) -> Iterator[tuple[str, Reliance]]:
    """What is relied on without each field, and each column, in turn."""
    messages = (reliance.message, *reliance.others)
    for same in zip(*(without_one(message) for message in messages), strict=True):
        changed = [message for _, message in same]
        yield same[0][0], replace(reliance, message=changed[0], others=tuple(changed[1:]))


def without_one(value: Example, path: str = "") -> Iterator[tuple[str, Any]]:
    """The example without each of its fields, and each of its columns, in turn. A dataset is its columns."""
    if isinstance(value, pa.Table):
        for name in value.column_names:
            yield f"column {name} of {path}", value.drop_columns([name])
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if not isinstance(inner, pa.Table):
                yield where, {other: each for other, each in value.items() if other != name}
            for what, changed in without_one(inner, where):
                yield what, {**value, name: changed}
    elif isinstance(value, list):
        yield f"{path}[]", []
        for what, changed in without_one(value[0], f"{path}[]"):
            yield what, [changed]


def _stored(value: Example, ctx: Context, path: str) -> Any:
    """The example with its datasets stored, and the references to them."""
    if isinstance(value, (pa.Table, Own)):
        reference = ctx.write(path, value if isinstance(value, pa.Table) else value.table)
        needed = {"uri", "sha256"} if isinstance(value, pa.Table) else {"uri", "sha256", "rows"}
        return reference.model_dump(mode="json", include=needed)
    if isinstance(value, Mapping):
        return {name: _stored(inner, ctx, f"{path}.{name}") for name, inner in value.items()}
    return [_stored(inner, ctx, f"{path}[]") for inner in value] if isinstance(value, list) else value


def _receiver(received: dict[str, Json], provider: str) -> Callable[[str | bytes | None, dict[str, object]], None]:
    def receive(body: str | bytes | None, _: dict[str, object]) -> None:
        assert body is not None
        received[provider] = json.loads(body if isinstance(body, bytes) else str(body))

    return receive


def _files_of(consumer: Component) -> list[Path]:
    """The committed pacts that name this consumer, whoever the provider."""
    return [
        path
        for path in sorted(PACTS.glob("*.json"))
        if json.loads(path.read_text(encoding="utf-8"))["consumer"]["name"] == consumer.name
    ]


def _write(consumer: Component, stated: Mapping[Path, str]) -> None:
    for path in _files_of(consumer):
        path.unlink()
    for path, text in stated.items():
        path.write_text(text, encoding="utf-8")
