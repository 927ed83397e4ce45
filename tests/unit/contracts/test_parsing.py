"""Messages are data: nothing that reads them can run what they say."""

import ast
from collections.abc import Iterator

import pytest

from tests.unit.contracts.test_imports import ROOT, files_below, imports_of

RUNNING = {"eval", "exec", "compile", "__import__"}
UNPACKING = ("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle", "xml")


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("folder", ["contracts", "services", "orchestrator"])
def test_nothing_is_unpickled_or_evaluated(folder: str) -> None:
    files = files_below(folder)
    imported = [f"{file.relative_to(ROOT)}: {m}" for file in files for m in imports_of(file) if within(m, *UNPACKING)]
    run = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in called(ast.parse(file.read_text(encoding="utf-8")))
        if name in RUNNING
    ]
    assert imported + run == []


def test_yaml_is_written_and_never_read() -> None:
    files = [
        f for top in ("contracts", "services", "orchestrator") for f in files_below(top) if "yaml" in imports_of(f)
    ]
    used = {
        node.attr
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml"
    }
    assert used == {"SafeDumper", "dump"}


def test_a_call_is_seen_wherever_it_stands() -> None:
    """The rule above is worth no more than this."""
    assert list(called(ast.parse("def f():\n    return [eval(x) for x in y]"))) == ["eval"]
