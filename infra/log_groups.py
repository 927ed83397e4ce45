"""Log groups that forget."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}
"""By days: `infra.settings.Settings.log_days` allows these."""


def log_group(scope: Construct, construct_id: str, name: str, days: int) -> logs.LogGroup:
    """It goes with its stack."""
    return logs.LogGroup(
        scope, construct_id, log_group_name=name, retention=RETENTION[days], removal_policy=RemovalPolicy.DESTROY
    )
