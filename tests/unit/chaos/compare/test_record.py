"""What a run left behind, as far as it can be told without a stack."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from chaos.compare.record import stored
from chaos.compare.subject import load
from services.runtime.testing import local_context

SUBJECT = load("examples.two_stations")


@dataclass
class Bucket:
    """A folder that is listed as S3 lists a bucket."""

    folder: Path

    def get_paginator(self, operation: str) -> "Bucket":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's names
        sizes = {
            str(path.relative_to(self.folder)): path.stat().st_size for path in self.folder.rglob("*") if path.is_file()
        }
        yield {"Contents": [{"Key": key, "Size": size} for key, size in sizes.items() if key.startswith(Prefix)]}
        yield {}


def test_what_is_stored_is_what_components_wrote_in_this_run(tmp_path: Path) -> None:
    for name, body in (("bread-planner", b"a list"), ("baker", b"a loaf"), ("a stranger", b"a crumb")):
        local_context(tmp_path, name).write_file("file", body, "text/plain")
    parts = SimpleNamespace(s3=Bucket(tmp_path))
    site = cast(Any, SimpleNamespace(subject=SUBJECT, aws=parts, deployment=SimpleNamespace(bucket="b")))
    assert stored(site, "test-run") == len(b"a list" + b"a loaf")
    assert stored(site, "another-run") == 0
