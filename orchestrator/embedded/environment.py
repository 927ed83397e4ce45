"""LocalStack's own Python environment, made once and shared by all homes: its pins clash with Brigade's."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from contracts.errors import BadRequest
from orchestrator.embedded.processes import StackFailed

REQUIREMENTS = Path(__file__).with_name("localstack-requirements.txt")
OLDEST, NEWEST = (3, 11), (3, 12)
"""The Pythons LocalStack 4.9.2 works on."""


def cache_folder() -> Path:
    """BRIGADE_CACHE, else `brigade` in the user's cache folder."""
    chosen = os.environ.get("BRIGADE_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "brigade"


def environment_name() -> str:
    """`localstack-VERSION-HASH`, the hash of everything the environment is made from."""
    requirements = REQUIREMENTS.read_text(encoding="utf-8")
    version = next(line.split("==")[1] for line in requirements.splitlines() if line.startswith("localstack-core=="))
    content = requirements + str(sys.version_info[:2])
    return f"localstack-{version}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def prepare_localstack() -> Path:
    """The environment's folder, made first when it is missing (174 MB). Several processes may ask at once.

    Raises BadRequest when this Python cannot run LocalStack or uv is missing, StackFailed when the installation fails.
    """
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise BadRequest(
            f"the embedded LocalStack needs Python 3.11 or 3.12, this is {sys.version.split()[0]}: "
            "set AWS_ENDPOINT_URL to a LocalStack that runs elsewhere, or run `make setup PYTHON=3.12`"
        )
    cache = cache_folder()
    target = cache / environment_name()
    if is_usable(target):
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_usable(target):
            build(target)
    return target


def is_usable(environment: Path) -> bool:
    """Whether it is there, and so is the interpreter it was made with: a link, which an upgrade of Python may break."""
    return (environment / "bin" / "python").exists()


def build(target: Path) -> None:
    """Make it beside its place, then put it there, so that nobody ever sees half of it."""
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    uv = find_uv()
    python = draft / "bin" / "python"
    run(uv, "venv", "--relocatable", "--python", sys.executable, str(draft))
    run(uv, "pip", "install", "--no-deps", "--compile-bytecode", "--python", str(python), "-r", str(REQUIREMENTS))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def run(*argv: str) -> None:
    """Run uv outside any project, so that no pyproject.toml changes what it does."""
    done = subprocess.run(  # noqa: S603 - no shell, and always uv
        argv, cwd=cache_folder(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackFailed(
            f"LocalStack's environment could not be made; `{' '.join(argv[:3])}` said:\n{done.stderr.strip()}\n"
            "check the connection to the package index, then run `make setup`"
        )


def find_uv() -> str:
    """Path of the uv binary. Raises BadRequest when it is not installed."""
    try:
        import uv

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise BadRequest("uv is not installed, which makes LocalStack's environment: run `make setup`") from error
