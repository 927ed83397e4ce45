"""As much of the Amazon States Language (https://states-language.net) as the renderer uses, without a clock or retries.

An independent reading of the language: what it sends can be held against what `contracts.resolve` says.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Answer = Callable[[Json], Any]
"""From a message's body to what the worker answers."""

CONTEXT = {"Task": {"Token": "token"}, "State": {"EnteredTime": "2026-11-25T12:00:00.000Z"}}


@dataclass
class Interpreter:
    """`sent` are the queue URL and the body of every message, `entered` the names of states, both in order."""

    answer: Answer
    sent: list[tuple[str, Json]] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)

    def run(self, machine: Json, data: Any) -> Any:
        """A machine's, a branch's or an item processor's output."""
        name = machine["StartAt"]
        while True:
            self.entered.append(name)
            state = machine["States"][name]
            if state["Type"] == "Choice":
                name = next((rule["Next"] for rule in state["Choices"] if holds(rule, data)), state["Default"])
                continue
            data = self._output(state, data)
            if state.get("End"):
                return data
            name = state["Next"]

    def _output(self, state: Json, data: Any) -> Any:
        result = getattr(self, f"_{state['Type'].lower()}")(state, data)
        if "ResultSelector" in state:
            result = fill(state["ResultSelector"], result, {})
        output = put(state.get("ResultPath", "$"), data, result)
        return value_at(state["OutputPath"], output, {}) if "OutputPath" in state else output

    def _pass(self, state: Json, data: Any) -> Any:
        return fill(state["Parameters"], data, CONTEXT) if "Parameters" in state else data

    def _task(self, state: Json, data: Any) -> Any:
        parameters = fill(state["Parameters"], data, CONTEXT)
        self.sent.append((parameters["QueueUrl"], parameters["MessageBody"]))
        assert parameters["MessageAttributes"]["taskToken"]["StringValue"] == "token"
        return self.answer(parameters["MessageBody"])

    def _parallel(self, state: Json, data: Any) -> Any:
        return [self.run(branch, data) for branch in state["Branches"]]

    def _map(self, state: Json, data: Any) -> Any:
        items = value_at(state["ItemsPath"], data, {})
        selected = [fill(state["ItemSelector"], data, {"Map": {"Item": {"Value": item}}}) for item in items]
        return [self.run(state["ItemProcessor"], item) for item in selected]


def holds(rule: Json, data: Any) -> bool:
    if "And" in rule:
        return all(holds(part, data) for part in rule["And"])
    if "Not" in rule:
        return not holds(rule["Not"], data)
    (comparison,) = rule.keys() - {"Variable", "Next"}
    try:
        found = value_at(rule["Variable"], data, {})
    except KeyError:
        if comparison == "IsPresent":
            return not rule["IsPresent"]
        raise
    tests = {"IsPresent": True, "IsNull": found is None, "StringEquals": found, "BooleanEquals": found}
    assert comparison != "StringEquals" or isinstance(found, str)
    assert comparison != "BooleanEquals" or isinstance(found, bool)
    return bool(tests[comparison] == rule[comparison])


def fill(template: Any, data: Any, context: Json) -> Any:
    """A payload template: fields whose names end in `.$` are paths or intrinsic functions."""
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): value_at(value, data, context) if name.endswith(".$") else fill(value, data, context)
        for name, value in template.items()
    }


def value_at(path: str, data: Any, context: Json) -> Any:
    """Raises KeyError when there is nothing at the path, where Step Functions would fail the execution."""
    if call := re.fullmatch(r"States\.(Format|ArrayContains)\((.*)\)", path):
        first, *others = (argument(text, data, context) for text in re.split(r",\s*(?=[$'])", call[2]))
        return first.format(*others) if call[1] == "Format" else others[0] in first
    source: Any = context if path.startswith("$$") else data
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        source = source[key] if key else source[int(index)]
    return source


def argument(text: str, data: Any, context: Json) -> Any:
    return text[1:-1] if text.startswith("'") else value_at(text, data, context)


def put(path: str, data: Any, result: Any) -> Any:
    if path == "$":
        return result
    field_name = path.removeprefix("$.")
    assert "." not in field_name
    return {**data, field_name: result}
