"""The service does what its description says, whatever is sent to it: requests made from the OpenAPI document."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.behaviour.cli.conftest import environment
from tests.behaviour.service.conftest import TOKEN, Serve

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))

LEFT_OUT = (
    "positive_data_acceptance",  # the document cannot say which pipelines and flags there are
    "allow_header_conformance",  # Starlette names the methods of one route of a path only
)


@pytest.mark.usefixtures("no_runs")
def test_nothing_that_is_sent_is_worse_than_refused(serve: Serve, tmp_path: Path) -> None:
    """No 5xx, nothing served without the token, and no status, type or content that the document does not name."""
    with serve("--no-schedules") as replica:
        asked = ("--max-examples", "25", "--seed", "1", "--exclude-checks", ",".join(LEFT_OUT))
        header = ("--header", f"Authorization: Bearer {TOKEN}")
        done = subprocess.run(
            [SCHEMATHESIS, "run", f"{replica.url}/openapi.json", *asked, *header],
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 selected / 9 total" in done.stdout
    log = replica.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert '" 500' not in log
