"""The schemas as they were committed, read through git."""

import subprocess
from pathlib import Path

from contracts.errors import BadRequest
from orchestrator.compatibility.schemas import FOLDER, Json, parse

WHERE = "contracts/schemas"

LAST_COMMIT = "HEAD^"
"""What is compared with where nothing is released yet: of a branch of several commits, only the last is checked."""


def default_revision(folder: Path = FOLDER) -> str:
    """The latest release, a tag `v...`, in the history of HEAD; the commit before HEAD where nothing is released yet."""
    tags = _git(folder, "tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-version:refname").split()
    return tags[0] if tags else LAST_COMMIT


def documents_of(revision: str, folder: Path = FOLDER) -> dict[str, Json]:
    """The committed schemas of a revision, by message. Raises BadRequest for one that is not there or has none."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    listed = _git(folder, "ls-tree", "--name-only", "--full-tree", commit, f"{WHERE}/").splitlines()
    if not listed:
        raise BadRequest(f"{revision} has no {WHERE}: compare with a later revision (--against)")
    return parse({Path(path).name: _git(folder, "show", f"{commit}:{path}") for path in listed})


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder.parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - git's own arguments
    except FileNotFoundError as error:
        raise BadRequest("git is not installed: the check reads earlier schemas through it") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise BadRequest(
            f"git {arguments[0]} failed for {arguments[-1]}: {reason[0] if reason else 'not found'}; "
            "the check needs a checkout with its history, and a revision that is there (--against)"
        )
    return done.stdout
