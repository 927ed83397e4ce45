"""What is read from log lines: of one run, of what was written meanwhile, whatever lies between."""

import json
from pathlib import Path

from chaos.compare.logs import read


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def handled(run: str, attempt: int, seconds: float) -> bytes:
    return line(message=f"handled in {seconds:.3f} s", run=run, component="baker", item="-", attempt=attempt)


def test_the_run_s_own_lines_since_then(tmp_path: Path) -> None:
    before = handled("earlier", 1, 9.0) + line(Repeated=[5])
    after = [handled("mine", 1, 0.25), b"Killed\n", handled("other", 1, 3.0), b'{"cut": ', b"\n", line(Repeated=[1, 2])]
    (tmp_path / "baker-1.log").write_bytes(before + b"".join(after))
    (tmp_path / "baker-2.log").write_bytes(handled("mine", 2, 0.5) + b"[1]\n")
    found = read(tmp_path, {"baker-1.log": len(before)}, "mine")
    assert found.handler_seconds == {("baker", "-", 1): 0.25, ("baker", "-", 2): 0.5}
    assert found.repeats_absorbed == 3
    assert found.bytes == sum(map(len, after)) + len(handled("mine", 2, 0.5)) + 4
