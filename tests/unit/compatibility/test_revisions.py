"""Earlier schemas, read through git."""

import subprocess
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES
from orchestrator.compatibility import schemas
from orchestrator.compatibility.revisions import default_revision, documents_of

VOLUME = "order-volume-forecasted.v1"
NOW = schemas.documents(PIPELINES)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose first commit has today's schemas, under a release tag, and whose second has others."""
    folder = tmp_path / "contracts" / "schemas"
    folder.parent.mkdir()
    schemas.write(PIPELINES, folder)

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    git("tag", "v0.9.0")
    (folder / f"{VOLUME}.json").unlink()
    git("commit", "-q", "-a", "-m", "two")
    return folder


def test_an_earlier_revision_is_read_through_git(checkout: Path) -> None:
    assert documents_of("v0.9.0", checkout) == NOW
    assert documents_of("HEAD^", checkout) == NOW
    assert VOLUME not in documents_of("HEAD", checkout)


def test_the_latest_release_is_the_default(checkout: Path) -> None:
    assert default_revision(checkout) == "v0.9.0"
    for tag in ("v0.10.0", "notes"):
        subprocess.run(["git", "tag", tag], cwd=checkout, check=True)
    assert default_revision(checkout) == "v0.10.0"
    subprocess.run(["git", "tag", "-d", "v0.9.0", "v0.10.0"], cwd=checkout, check=True, capture_output=True)
    assert default_revision(checkout) == "HEAD^"


def test_a_revision_that_cannot_be_compared_with(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"not found.*--against"):
        documents_of("v7", checkout)
    with pytest.raises(BadRequest, match="not found"):
        documents_of("--help", checkout)
    subprocess.run(["git", "rm", "-rq", "contracts"], cwd=tmp_path, check=True)
    commit = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "none"]
    subprocess.run(commit, cwd=tmp_path, check=True)
    checkout.parent.mkdir(exist_ok=True)
    with pytest.raises(BadRequest, match="has no contracts/schemas"):
        documents_of("HEAD", checkout)
