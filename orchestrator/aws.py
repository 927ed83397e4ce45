"""The AWS clients of the command line, made when first used, from botocore's usual variables."""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=60)


class Aws:
    def __init__(self) -> None:
        self._session = boto3.Session()

    @cached_property
    def account(self) -> str:
        """Its number."""
        return str(self._session.client("sts", config=CONFIG).get_caller_identity()["Account"])

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self._session.client("cloudformation", config=CONFIG)

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        return self._session.client("stepfunctions", config=CONFIG)

    @cached_property
    def sqs(self) -> "SQSClient":
        return self._session.client("sqs", config=CONFIG)

    @cached_property
    def s3(self) -> "S3Client":
        return self._session.client("s3", config=CONFIG)
