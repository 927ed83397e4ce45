"""Where CloudFormation gets a template from."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.aws import Aws
from orchestrator.template_place import KEY, LONGEST, placed


class Buckets:
    """S3, as far as a template needs it."""

    def __init__(self, region: str, *names: str) -> None:
        self.meta = SimpleNamespace(region_name=region, endpoint_url="https://s3.example")
        self.names = list(names)
        self.made: list[dict[str, Any]] = []
        self.put: list[dict[str, Any]] = []

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": [{"Name": name} for name in self.names]}

    def create_bucket(self, **asked: Any) -> None:
        self.made.append(asked)

    def put_object(self, **asked: Any) -> None:
        self.put.append(asked)


def aws(s3: Buckets) -> Aws:
    return cast(Aws, SimpleNamespace(account="123456789012", s3=s3))


def test_a_small_one_is_in_the_request_itself() -> None:
    s3, body = Buckets("us-east-1"), "x" * LONGEST
    assert placed(aws(s3), body, "brigade") == {"TemplateBody": body}
    assert (s3.made, s3.put) == ([], [])


@pytest.mark.parametrize("body", ["x" * (LONGEST + 1), "é" * (LONGEST // 2 + 1)])
def test_a_large_one_is_in_a_bucket_that_is_made_for_it(body: str) -> None:
    """What counts is its bytes."""
    s3 = Buckets("us-east-1", "another")
    found = placed(aws(s3), body, "brigade")
    assert found == {"TemplateURL": f"https://s3.example/brigade-templates-123456789012/{KEY}"}
    assert s3.made == [{"Bucket": "brigade-templates-123456789012"}]
    (put,) = s3.put
    assert (put["Bucket"], put["Key"], put["Body"]) == ("brigade-templates-123456789012", KEY, body.encode())


def test_a_bucket_that_is_there_is_used() -> None:
    s3 = Buckets("us-east-1", "brigade-templates-123456789012")
    placed(aws(s3), "x" * (LONGEST + 1), "brigade")
    assert (s3.made, len(s3.put)) == ([], 1)


def test_a_bucket_is_in_the_region_of_the_stack() -> None:
    """S3 takes every region as a constraint but its first."""
    s3 = Buckets("eu-central-1")
    placed(aws(s3), "x" * (LONGEST + 1), "brigade")
    assert s3.made[0]["CreateBucketConfiguration"] == {"LocationConstraint": "eu-central-1"}


def test_a_prefix_of_any_length_makes_a_bucket_s_name() -> None:
    """63 characters at most; `deploy` takes prefixes of 31."""
    assert len(f"{'p' * 31}-templates-{'1' * 12}") <= 63
