"""How many workers: as many as the backlog asks for.

Target tracking of the backlog per task: https://docs.aws.amazon.com/autoscaling/application/userguide/
application-auto-scaling-target-tracking-metric-math.html. Only the L1 construct takes metric math.
"""

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from contracts.component import Component

ROUNDS = 2
"""How many messages may wait for each handler of a worker before another worker is worth its start."""

COOL_DOWN = 120
"""Seconds: about what a task takes to start and empty a queue a little."""

Policy = scaling.CfnScalingPolicy


def scale_by_backlog(
    scope: Construct, cluster: ecs.ICluster, service: ecs.FargateService, queue: str, component: Component, seldom: bool
) -> None:
    """Between one worker, or none where one is needed seldom, and `capacity.most`.

    A message in flight counts, so that a worker is not taken away from its step; without a worker the whole backlog does, so
    that the first message brings one.
    """
    # Without a role of its own it has the one that AWS keeps for this: the L2 construct would make one more, unused.
    target = scaling.CfnScalableTarget(
        scope,
        "Scaling",
        service_namespace="ecs",
        resource_id=f"service/{cluster.cluster_name}/{service.service_name}",
        scalable_dimension="ecs:service:DesiredCount",
        min_capacity=0 if seldom else 1,
        max_capacity=component.capacity.most,
    )
    Policy(
        scope,
        "BacklogPerTask",
        policy_name=f"{queue}-backlog-per-task",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.ref,
        target_tracking_scaling_policy_configuration=Policy.TargetTrackingScalingPolicyConfigurationProperty(
            # Without a backlog nothing would ever be above a target of more than one message.
            target_value=1 if seldom else ROUNDS * component.concurrency,
            scale_in_cooldown=COOL_DOWN,
            scale_out_cooldown=COOL_DOWN,
            customized_metric_specification=Policy.CustomizedMetricSpecificationProperty(
                metrics=[
                    _of_queue("visible", "ApproximateNumberOfMessagesVisible", queue),
                    _of_queue("flying", "ApproximateNumberOfMessagesNotVisible", queue),
                    _query(
                        "tasks",
                        "ECS/ContainerInsights",
                        "RunningTaskCount",
                        {"ClusterName": cluster.cluster_name, "ServiceName": service.service_name},
                        "Average",
                    ),
                    Policy.TargetTrackingMetricDataQueryProperty(
                        id="backlog_per_task",
                        label="messages for each task",
                        expression="(visible + flying) / IF(FILL(tasks, 0) > 0, tasks, 1)",
                        return_data=True,
                    ),
                ]
            ),
        ),
    )


def _of_queue(name: str, metric: str, queue: str) -> Policy.TargetTrackingMetricDataQueryProperty:
    return _query(name, "AWS/SQS", metric, {"QueueName": queue}, "Maximum")


def _query(
    name: str, namespace: str, metric: str, dimensions: dict[str, str], stat: str
) -> Policy.TargetTrackingMetricDataQueryProperty:
    return Policy.TargetTrackingMetricDataQueryProperty(
        id=name,
        return_data=False,
        metric_stat=Policy.TargetTrackingMetricStatProperty(
            stat=stat,
            metric=Policy.TargetTrackingMetricProperty(
                namespace=namespace,
                metric_name=metric,
                dimensions=[
                    Policy.TargetTrackingMetricDimensionProperty(name=key, value=value)
                    for key, value in dimensions.items()
                ],
            ),
        ),
    )
