"""What a run costs on AWS, by the public price list, from its counted work.

Left out: RDS (its I/O and its instance) and the workers' own compute, which all styles pay alike, and free tiers.
"""

import math
from collections.abc import Mapping

from orchestrator.compare.facts import Prices
from orchestrator.compare.recorded import RecordedRun, Work

LEFT_OUT = "RDS (I/O and instance), the workers' own compute, data transfer and storage, and every free tier"

S3_FREE = ("DeleteObject", "DeleteObjects")
S3_WRITES = ("PutObject", "CopyObject", "ListObjects", "ListObjectsV2", "CreateMultipartUpload", "UploadPart")

LINES = ("SQS", "SNS", "Step Functions", "S3", "CloudWatch Logs")

EXPRESS_SECONDS = 300
"""After which an Express execution is ended."""

EXPRESS_GB = 64 / 1024
EXPRESS_STEP = 0.1

SECONDS_A_MONTH = 30 * 86_400
LONG_POLL = 20
"""Seconds of an empty receive."""


def dollars_of(work: Work, prices: Prices) -> dict[str, float]:
    """Of one run, by line of the bill; polls that found nothing are no run's own."""
    sqs = sum(work.api_calls.get("sqs", {}).values()) + sent_by_aws(work)
    sns = sum(work.api_calls.get("sns", {}).values())
    s3 = work.api_calls.get("s3", {})
    writes = sum(count for operation, count in s3.items() if operation in S3_WRITES)
    reads = sum(count for operation, count in s3.items() if operation not in (*S3_WRITES, *S3_FREE))
    return {
        "SQS": prices.of("sqs-request", sqs),
        "SNS": prices.of("sns-request", sns),
        "Step Functions": prices.of("states-transition", work.state_transitions),
        "S3": prices.of("s3-write", writes) + prices.of("s3-read", reads),
        "CloudWatch Logs": prices.of("logs-gb", work.bytes.get("logs", 0) / 1e9),
    }


def sent_by_aws(work: Work) -> int:
    """Sends to queues that nobody has counted: SNS's deliveries. To be on the safe side, each is a request of SQS.

    At least those received less those that were counted, ten at most with each batch.
    """
    calls: Mapping[str, int] = work.api_calls.get("sqs", {})
    own = calls.get("SendMessage", 0) + 10 * calls.get("SendMessageBatch", 0)
    return max(work.messages - own, 0)


def express_dollars(run: RecordedRun, prices: Prices) -> float | None:
    """Of one run if its state machine were Express; None where it would have been ended before its end."""
    if run.seconds > EXPRESS_SECONDS:
        return None
    billed = math.ceil(run.seconds / EXPRESS_STEP) * EXPRESS_STEP * EXPRESS_GB
    return prices.of("express-request", 1) + prices.of("express-gb-second", billed)


def express_break_even(transitions: float, prices: Prices) -> float:
    """Seconds of a run at which Express costs as much as so many transitions of Standard."""
    left = prices.of("states-transition", transitions) - prices.of("express-request", 1)
    return left / prices.of("express-gb-second", EXPRESS_GB)


def idle_dollars_a_month(queues: int, prices: Prices) -> float:
    """Of long polls by one worker of each queue that never find anything: the same in every style, runs or none."""
    return prices.of("sqs-request", queues * SECONDS_A_MONTH / LONG_POLL)
