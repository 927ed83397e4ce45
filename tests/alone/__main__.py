"""`make test-squad SQUAD=pickles`: one squad's unit and contract tests, with nobody else's code in reach.

They run in a temporary copy of what the squad may use. Python is started without its `site`, which would find the whole
project: it is installed in place. So another squad's module is really not there, and an import of it fails.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contracts.pipelines import all_components

ROOT = Path(__file__).parents[2]

SHARED = (
    "pyproject.toml",
    "contracts",
    "services/__init__.py",
    "services/models",
    "services/runtime",
    "tests/__init__.py",
    "tests/alone",
    "tests/contracts/*.py",
    "tests/support/__init__.py",
    "tests/support/html.py",
    "tests/support/plans.py",
    "tests/unit/__init__.py",
    "tests/unit/services/__init__.py",
)
"""What every squad has beside its own."""

EVERYBODYS = ("tests/alone/__main__.py", "tests/contracts/test_*.py")
"""Parts of that which need the whole project."""

OWN = ("services/{module}", "tests/contracts/{module}", "tests/unit/services/{module}")

PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider")
"""Those that tests use. To load all that are installed takes longer than most squads' tests."""

DATABASE_URL = "BRIGADE_TEST_DATABASE_URL"


def main(arguments: Sequence[str]) -> int:
    """Pytest's exit code; 2 for a squad that there is not, 1 for one of whose components nothing is tested."""
    squads = {each.squad: [c.module for c in all_components() if c.squad == each.squad] for each in all_components()}
    squad, *options = arguments or [""]
    if squad not in squads:
        sys.stderr.write(
            f"there is no squad '{squad}': make test-squad SQUAD=..., one of {', '.join(sorted(squads))}\n"
        )
        return 2
    with tempfile.TemporaryDirectory(prefix=f"brigade-{squad}-") as folder:
        tree = Path(folder)
        copy(ROOT, tree, squads[squad])
        if untested := [module for module in squads[squad] if not list(tree.glob(f"tests/**/{module}/test_*.py"))]:
            sys.stderr.write(f"no tests of {', '.join(untested)}: put some in tests/contracts/{untested[0]}\n")
            return 1
        return run(tree, squad, options)


def copy(root: Path, tree: Path, modules: Sequence[str]) -> None:
    """What the squad of these components may use, from one tree to another. Compiled code stays valid: times are kept."""
    own = [pattern.format(module=module) for module in modules for pattern in OWN]
    for source in (path for pattern in (*SHARED, *own) for path in sorted(root.glob(pattern))):
        target = tree / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    for path in (path for pattern in EVERYBODYS for path in tree.glob(pattern)):
        path.unlink()


def run(tree: Path, squad: str, options: Sequence[str]) -> int:
    """Pytest's exit code. Nothing runs in parallel: workers would be started with `site`."""
    with database(tree) as database_url:
        paths = [str(tree), *dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))]
        environment = {name: value for name, value in os.environ.items() if name != "WRITE_PACTS"}
        environment |= {"SQUAD": squad, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({DATABASE_URL: database_url} if database_url else {})
        command = [sys.executable, "-S", "-m", "pytest", *PLUGINS, "tests", *options]
        return subprocess.run(command, cwd=tree, env=environment, check=False).returncode


@contextmanager
def database(tree: Path) -> Iterator[str | None]:
    """The URL of the database that is there, or of one that is started if a test asks for it."""
    given = os.environ.get(DATABASE_URL)
    if given or not any("database_url" in path.read_text(encoding="utf-8") for path in tree.glob("tests/**/test_*.py")):
        yield given
        return
    from tests.support.postgres import postgres  # Takes a second, and most squads need none.

    with postgres() as url:
        yield url


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
