"""The provider's side: does what its handlers really give fit every pact that names it?"""

import gc
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pact import Verifier
from pact.types import Message

from contracts.component import Component
from contracts.message import Event
from services.runtime.incoming import serialise
from tests.contracts.consumer import Connect, Consumer, cook
from tests.contracts.reliance import PACTS, Json, column_key, columns_of

BROKER = "PACT_BROKER_BASE_URL"
"""With this in the environment, the pacts that a broker holds are verified as well."""

Given = Mapping[str, Callable[[], Message]]
"""By the provider's state, how to get the message that it gives then."""


class PactBroken(AssertionError):
    """What a provider gives is not what somebody relies on."""


class ProviderTests:
    """Every provider's tests: a squad's class derives from this and says what its handlers are given, in which state.

    They are given what the component itself relies on, unless the class has other `answers`.
    """

    consumer: ClassVar[Consumer]
    state: ClassVar[str]

    @pytest.fixture
    def connect(self) -> Connect | None:
        """How the handlers reach a database, for those who need one."""
        return None

    @pytest.fixture
    def answers(self, tmp_path: Path, connect: Connect | None) -> list[Event]:
        """What each handler really gives."""
        return [answer for answer, _ in cook(self.consumer, self.consumer.relies_on, tmp_path, connect)]

    def test_what_it_gives_fits_every_pact(self, answers: list[Event]) -> None:
        assert answers
        for answer in answers:
            verify(self.consumer.component, {self.state: partial(message_of, answer, self.consumer.component)})


def message_of(answer: Event, provider: Component) -> Message:
    """What travels, and the columns of the files that it refers to, where these are files of the test."""
    text, _ = serialise(answer, provider, provider.output.wire_type())
    columns = {
        column_key(path, name): kind
        for path, uri in _references(json.loads(text))
        if uri.startswith("file://")
        for name, kind in columns_of(Path(uri.removeprefix("file://")).read_bytes()).items()
    }
    return Message(contents=text.encode(), metadata=columns, content_type="application/json")


def in_version(message: Message, wire_type: str) -> Message:
    """As who takes this version reads it: one that is given beside the oldest is inside of that."""
    body = json.loads(message["contents"])
    if wire_type not in body:
        return message
    columns = {
        key.replace(f" of {wire_type}.", " of "): kind
        for key, kind in (message["metadata"] or {}).items()
        if f" of {wire_type}." in key
    }
    contents = json.dumps(body[wire_type]).encode()
    return Message(contents=contents, metadata=columns, content_type="application/json")


def verify(provider: Component, given: Given, pacts: Path = PACTS) -> None:
    """Raises PactBroken naming the consumers, their squads and the fields; ValueError for a pact that cannot be verified."""
    named = {path: pact for path, pact in _pacts_in(pacts) if pact["provider"]["name"] == provider.name}
    if not named:
        raise ValueError(f"no pact names {provider.name}: nobody relies on it, so there is nothing to verify")
    for path, pact in named.items():
        for interaction in pact["interactions"]:
            _check_known(path, interaction, provider, given)
    squads = {pact["consumer"]["name"]: pact["metadata"]["squads"]["consumer"] for pact in named.values()}
    results = _results(provider, {state: give() for state, give in given.items()}, list(named))
    broken = [
        f"{provider.squad} ({provider.name}) no longer gives what {squads.get(consumer, 'a squad elsewhere')} "
        f"({consumer}) relies on in {message}: {field}"
        for consumer, message, field in _mismatches(results)
    ]
    unread = [str(each["mismatch"]) for each in results["errors"] if each["mismatch"]["type"] != "mismatches"]
    if broken or unread or not results["result"]:
        raise PactBroken("\n".join(broken + unread))


def _check_known(path: Path, interaction: Json, provider: Component, given: Given) -> None:
    message, states = interaction["description"], [state["name"] for state in interaction.get("providerStates", ())]
    given_versions = [version.wire_type() for version in provider.gives]
    if message not in given_versions:
        raise ValueError(f"{path.name} is about {message}, {provider.name} gives {' and '.join(given_versions)}")
    for state in states:
        if state not in given:
            raise ValueError(
                f"{path.name} asks for '{state}', which {provider.name}'s tests do not give: {list(given)}"
            )


def _results(provider: Component, messages: Mapping[str, Message], files: list[Path]) -> Json:
    # The library's server for messages is closed by the garbage collector, which Python warns of.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        results = _verified(provider, messages, files)
        gc.collect()
    return results


def _verified(provider: Component, messages: Mapping[str, Message], files: list[Path]) -> Json:
    def give(name: str, metadata: dict[str, Any] | None) -> Message:
        (state,) = (metadata or {})["providerStates"]
        return in_version(messages[state["name"]], name)

    verifier = Verifier(provider.name).message_handler(give)
    for file in files:
        verifier.add_source(file)
    if os.environ.get(BROKER):
        verifier.broker_source()
    try:
        verifier.verify()
    except RuntimeError:  # It says that something failed; the results say what.
        assert not verifier.results["result"]
    results: Json = verifier.results
    return results


def _mismatches(results: Json) -> Iterator[tuple[str, str, str]]:
    """Consumer, message, and field with what is wrong with it."""
    for each in results["interactionResults"]:
        found = each.get("mismatch", {}).get("mismatches", ())
        for one in sorted(found, key=lambda one: (one.get("path", ""), one.get("key", ""))):
            where = one.get("key") or one.get("path", "").removeprefix("$").removeprefix(".") or "the message"
            yield each["consumer"], each["description"], f"{where}: {one['mismatch']}"


def _references(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and URI of every reference to a dataset."""
    if isinstance(value, dict) and "uri" in value:
        yield path, value["uri"]
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _references(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner, f"{path}[]")


def _pacts_in(folder: Path) -> Iterator[tuple[Path, Json]]:
    for path in sorted(folder.glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))
