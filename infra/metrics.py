"""The metrics that alarms and dashboards look at: of SQS, and those that workers write (services/runtime/telemetry.py)."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from contracts.pipeline import Pipeline
from infra.workers import Worker

NAMESPACE = "Brigade"
"""As `services.runtime.telemetry` has it."""

STYLES = ("orchestrated", "choreographed")

MINUTE = Duration.minutes(1)


def visible(queue: str) -> cloudwatch.Metric:
    return _of_queue("ApproximateNumberOfMessagesVisible", queue, "waiting")


def dead_letters(queue: str) -> cloudwatch.Metric:
    return _of_queue("ApproximateNumberOfMessagesVisible", queue, "dead letters")


def age_of_oldest(queue: str) -> cloudwatch.Metric:
    """In seconds."""
    return _of_queue("ApproximateAgeOfOldestMessage", queue, "age of the oldest, s")


def tasks(worker: Worker) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="ECS/ContainerInsights",
        metric_name="RunningTaskCount",
        dimensions_map={
            "ClusterName": worker.service.cluster.cluster_name,
            "ServiceName": worker.service.service_name,
        },
        statistic="Average",
        period=MINUTE,
        label="workers",
    )


def of_style(pipeline: Pipeline, metric: str, style: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """Of runs that ended: `RunsFailed`, `RunDuration` and the others."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric,
        dimensions_map={"pipeline": pipeline.name, "style": style},
        statistic=statistic,
        period=MINUTE,
        label=style,
    )


def runs(pipeline: Pipeline, metric: str) -> cloudwatch.MathExpression:
    """Runs of both styles together."""
    by_style = {f"{style}_{metric}": of_style(pipeline, metric, style) for style in STYLES}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in by_style),
        using_metrics=by_style,
        period=MINUTE,
        label=metric,
    )


def _of_queue(metric: str, queue: str, label: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=metric,
        dimensions_map={"QueueName": queue},
        statistic="Maximum",
        period=MINUTE,
        label=label,
    )
