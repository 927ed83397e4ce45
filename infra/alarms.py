"""What somebody is woken for."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from contracts.pipeline import Pipeline
from infra import metrics
from infra.names import Names
from infra.settings import Settings
from infra.workers import Worker

BAD_ENDS = {
    "RunsFailed": "failed: `brigade history RUN` says why, `brigade redrive RUN` goes on when it is mended",
    "RunsTimedOut": "did not end before its deadline: `brigade history RUN` says what is missing",
    "RunsDegraded": "ended with a fallback: `brigade forecast` says what was replaced, and why",
}
"""How a run can end, in either style, by the metrics of services/runtime/telemetry.py."""


class Alarms(Construct):
    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        names: Names,
        pipelines: tuple[Pipeline, ...],
        workers: Sequence[Worker],
    ) -> None:
        super().__init__(scope, "Alarms")
        self.topic = sns.Topic(self, "Topic", topic_name=f"{settings.prefix}-alarms", enforce_ssl=True)
        if settings.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        self._prefix = settings.prefix
        for worker in workers:
            self._watch_queue(worker, names)
        for pipeline in pipelines:
            for metric, meaning in BAD_ENDS.items():
                self._alarm(
                    f"{pipeline.name}-{metric.removeprefix('Runs').lower()}",
                    metrics.runs(pipeline, metric),
                    0,
                    f"A run of {pipeline.name} {meaning}",
                )

    def _watch_queue(self, worker: Worker, names: Names) -> None:
        component, version = worker.component, worker.version
        queue, dead_letters = names.queue(component, version), names.dead_letters(component, version)
        name = queue.removeprefix(f"{names.prefix}-")
        self._alarm(
            f"{name}-dead-letters",
            metrics.dead_letters(dead_letters),
            0,
            f"{component.squad}: a message of {name} was given up: `brigade dlq show {component.name}` says why",
        )
        policy = component.policy_of(version)
        longest = policy.timeout + policy.heartbeat
        self._alarm(
            f"{name}-age",
            metrics.age_of_oldest(queue),
            longest,
            f"{component.squad}: a message of {name} is older than {longest} s, as long as one attempt may take",
        )

    def _alarm(self, name: str, metric: cloudwatch.IMetric, threshold: float, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.title() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
