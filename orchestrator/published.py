"""What a run published, as files: the planner's page and the table."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from contracts.errors import BadRequest
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all

_CURRENT = "SELECT run_id FROM current_publication WHERE pipeline = %(pipeline)s"
_ANSWER = """
SELECT s.answer, p.sha256 FROM publications p JOIN steps s USING (run_id)
WHERE p.run_id = %(run_id)s AND s.answer::jsonb ->> 'csv_uri' = p.csv_uri
"""


@dataclass(frozen=True)
class Published:
    """`sha256` is the table's. Only a forecast of recipes and ingredients has a page."""

    run_id: str
    page_uri: str | None
    csv_uri: str
    sha256: str


def find_published(connection: Connection, pipeline: str, run_id: str | None) -> Published:
    """A run's publication, or the pipeline's current one. Raises BadRequest when there is none."""
    if run_id is None:
        current = fetch_all(connection, _CURRENT, {"pipeline": pipeline})
        if not current:
            raise BadRequest(f"{pipeline} has published nothing yet: start a run with `brigade run {pipeline}`")
        run_id = str(current[0]["run_id"])
    rows = fetch_all(connection, _ANSWER, {"run_id": run_id})
    if not rows:
        raise BadRequest(f"run '{run_id}' has published nothing: `brigade runs` lists those that succeeded")
    answer = json.loads(rows[0]["answer"])
    return Published(run_id, answer.get("page_uri"), answer["csv_uri"], rows[0]["sha256"])


def download(aws: Aws, uri: str) -> bytes:
    """Raises BadRequest when the file is gone."""
    place = urlsplit(uri)
    try:
        return aws.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise BadRequest(
            f"{uri} is gone (LocalStack keeps files only until it is stopped): run that date again"
        ) from error
