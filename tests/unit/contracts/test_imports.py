"""Who may import whom: the rules of pyproject.toml, kept by import-linter, and those that it cannot say.

The latter are read from the source, so that imports inside functions count as well.
"""

import ast
import shutil
import subprocess
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


SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if any(path.glob("*.py")))


CLIENTS_OF_AWS = ("runtime", "forecast_api")
"""Neither is a component: what hands handlers their files, and what speaks AWS's protocol to others."""


@pytest.mark.parametrize("service", [name for name in SERVICES if name not in CLIENTS_OF_AWS])
def test_handlers_and_models_name_no_aws(service: str) -> None:
    """Packages with types only as well, of which there is one for each of its services."""
    assert offences(f"services/{service}", lambda module: module.startswith(AWS)) == []


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """The rules of pyproject.toml, on a tree."""
    linter = Path(sys.executable).parent / "lint-imports"
    return subprocess.run([linter, "--no-cache", "--no-logo"], cwd=root, capture_output=True, text=True, check=False)


def test_the_rules_of_the_project_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in ("contracts", "services", "orchestrator", "infra"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


@pytest.mark.parametrize(
    ("file", "added", "broken"),
    [
        ("contracts/run.py", "import services.runtime.text", "contracts.run -> services.runtime.text"),
        ("contracts/run.py", "import orchestrator.aws", "contracts.run -> orchestrator.aws"),
        ("services/publisher/totals.py", "import services.order_volume.volume", "services.order_volume.volume"),
        (
            "services/runtime/text.py",
            "def f():\n    from services import publisher",
            "services.runtime.text -> services.p",
        ),
        (
            "services/configurator/weeks.py",
            "from orchestrator import aws",
            "services.configurator.weeks -> orchestrator",
        ),
        (
            "services/publisher/totals.py",
            "import services.backtest.items",
            "services.publisher.totals -> services.backt",
        ),
        ("services/backtest/items.py", "import orchestrator.logs", "services.backtest.items -> orchestrator.logs"),
        ("services/models/kinds.py", "import boto3", "services.models.kinds -> boto3"),
        ("services/runtime/context.py", "import botocore.errorfactory", "services.runtime.context -> botocore"),
        (
            "orchestrator/logs.py",
            "import services.publisher.handler",
            "orchestrator.logs -> services.publisher.handler",
        ),
        ("orchestrator/logs.py", "import tests.support.html", "orchestrator.logs -> tests"),
        ("orchestrator/logs.py", "import infra.names", "orchestrator.logs -> infra.names"),
        ("infra/names.py", "import services.runtime.settings", "infra.names -> services.runtime.settings"),
        ("services/newcomer/handler.py", "import services.publisher.totals", "services.newcomer.handler -> services.p"),
        ("services/newcomer/handler.py", "import boto3", "services.newcomer.handler -> boto3"),
    ],
)
def test_an_import_that_breaks_a_rule_is_named(copied: Path, file: str, added: str, broken: str) -> None:
    path = copied / file
    before = path.read_bytes() if path.exists() else None
    if before is None:
        path.parent.mkdir()
        (path.parent / "__init__.py").touch()
    path.write_bytes((before or b"") + f"\n{added}\n".encode())
    done = lint(copied)
    if before is None:
        shutil.rmtree(path.parent)
    else:
        path.write_bytes(before)
    assert done.returncode == 1, done.stdout
    assert broken in done.stdout


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
