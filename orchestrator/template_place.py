"""Where CloudFormation gets a template from: the request itself, or a bucket when it is too large for one."""

from typing import Any

from orchestrator.aws import Aws

LONGEST = 51_200
"""Bytes of a template in a request, by CloudFormation's quotas."""

KEY = "messaging.template.json"


def placed(aws: Aws, body: str, prefix: str) -> dict[str, Any]:
    """The arguments that name a template. A large one goes into `PREFIX-templates-ACCOUNT`, which is made when missing."""
    if len(body.encode()) <= LONGEST:
        return {"TemplateBody": body}
    bucket = f"{prefix}-templates-{aws.account}"
    if bucket not in [each["Name"] for each in aws.s3.list_buckets()["Buckets"]]:
        _make(aws, bucket)
    aws.s3.put_object(Bucket=bucket, Key=KEY, Body=body.encode(), ContentType="application/json")
    return {"TemplateURL": f"{aws.s3.meta.endpoint_url}/{bucket}/{KEY}"}


def _make(aws: Aws, bucket: str) -> None:
    region = aws.s3.meta.region_name
    place: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    aws.s3.create_bucket(Bucket=bucket, **place)
