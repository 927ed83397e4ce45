"""Who may import whom. Read from the source, so that imports inside functions count as well."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IO = {"asyncio", "http", "io", "os", "pathlib", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "urllib"}
AWS = ("boto", "aiobotocore", "aws_", "mypy_boto3", "types_aiobotocore", "types_boto3")


def imports_of(file: Path) -> Iterator[str]:
    """The full names of the modules a file imports, relative imports made absolute."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files_below(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"there is nothing in {folder}"
    return found


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def offences(folder: str, forbidden: Callable[[str], bool]) -> list[str]:
    """`file imports module` for every import that `forbidden` says yes to."""
    return [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files_below(folder)
        for module in imports_of(file)
        if forbidden(module)
    ]


def test_contracts_import_pydantic_and_each_other() -> None:
    def forbidden(module: str) -> bool:
        top = module.split(".")[0]
        return top not in sys.stdlib_module_names and top not in ("contracts", "pydantic")

    assert offences("contracts", forbidden) == []


def test_contracts_do_no_input_and_output() -> None:
    assert offences("contracts", lambda module: module.split(".")[0] in IO) == []
    opened = [
        f"{file.name} calls {node.func.id}"
        for file in files_below("contracts")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    ]
    assert opened == []


TOOL = "backtest"
"""Not a component: it runs several of them on past weeks, so it imports them. None imports it."""

SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if any(path.glob("*.py")))


@pytest.mark.parametrize("service", [name for name in SERVICES if name != TOOL])
def test_a_service_imports_no_other_service_and_no_orchestrator(service: str) -> None:
    """They share the runtime, which knows them by name only."""
    others = [f"services.{name}" for name in SERVICES if name not in (service, "runtime")]
    assert offences(f"services/{service}", lambda module: within(module, "orchestrator", *others)) == []


def test_the_backtest_imports_no_orchestrator() -> None:
    assert offences(f"services/{TOOL}", lambda module: within(module, "orchestrator")) == []


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "runtime"])
def test_handlers_and_models_see_no_aws(service: str) -> None:
    assert offences(f"services/{service}", lambda module: module.startswith(AWS)) == []


def test_the_orchestrator_imports_no_service() -> None:
    assert offences("orchestrator", lambda module: within(module, "services")) == []


def test_nothing_imports_tests() -> None:
    for folder in ("contracts", "services", "orchestrator"):
        assert offences(folder, lambda module: within(module, "tests")) == []


def test_every_kind_of_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules above are worth no more than this."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "services" / "a" / "handler.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import boto3, os.path as p\n"
        "from services import b\n"
        "from ..c import x\n"
        "from . import d\n"
        "def f():\n    if True:\n        import aiobotocore.session\n",
        encoding="utf-8",
    )
    assert sorted(imports_of(file)) == [
        "aiobotocore.session",
        "boto3",
        "os.path",
        "services.a.d",
        "services.b",
        "services.c.x",
    ]
