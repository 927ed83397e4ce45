"""The messaging stack: the template that `brigade deploy` renders, and what production adds to it.

Queues, topic, bucket and state machines are those of orchestrator/template.py, included as they are. Added are encryption,
a refusal of unencrypted connections, lifecycle, logs, traces, published versions and parameters for others to find things by.
"""

import json
from pathlib import Path
from typing import Any, TypeVar, cast

from aws_cdk import CfnOutput, CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from infra.acknowledged import acknowledge
from infra.log_groups import log_group
from infra.settings import Settings
from orchestrator import template
from orchestrator.deploy import MADE_BY

Json = dict[str, Any]
Resource = TypeVar("Resource", bound=CfnResource)

LIVE = "live"
"""The alias of the state machine's version that was deployed last."""

WRITE_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"""

TRACE = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments")


class MessagingStack(Stack):
    """Its name and outputs are those that `brigade deploy` would make, so that every command finds them."""

    def __init__(self, scope: Construct, settings: Settings, pipelines: tuple[Pipeline, ...], **props: Any) -> None:
        super().__init__(scope, "Messaging", stack_name=settings.prefix, **props)
        self._settings = settings
        self._body = template.render(pipelines)
        self._included = CfnInclude(self, "Rendered", template_file=str(self._written()))
        self._included.get_parameter("Prefix").default = settings.prefix
        self._finish_bucket()
        self._finish_queues()
        self._finish_topics(all_components(pipelines))
        for pipeline in pipelines:
            self._finish_state_machine(pipeline)
        CfnOutput(self, MADE_BY, value="infra", description="`brigade deploy` leaves this stack's resources alone")

    def _written(self) -> Path:
        """CfnInclude takes a file."""
        path = self._settings.out / "rendered" / "messaging.template.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._body), encoding="utf-8")
        return path

    def _named(self, name: str, kind: type[Resource]) -> Resource:
        return cast(Resource, self._included.get_resource(name))

    def _all(self, kind: type[Resource], type_name: str) -> dict[str, Resource]:
        """By logical id."""
        found = (name for name, resource in self._body["Resources"].items() if resource["Type"] == type_name)
        return {name: self._named(name, kind) for name in found}

    def _finish_bucket(self) -> None:
        bucket = self._named("Bucket", s3.CfnBucket)
        bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        bucket.bucket_encryption = s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                        sse_algorithm="AES256"
                    )
                )
            ]
        )
        bucket.public_access_block_configuration = s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        )
        bucket.lifecycle_configuration = s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[
                s3.CfnBucket.RuleProperty(
                    id="forget-old-runs",
                    status="Enabled",
                    expiration_in_days=self._settings.file_days,
                    abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                        days_after_initiation=1
                    ),
                )
            ]
        )
        s3.CfnBucketPolicy(
            self,
            "BucketPolicy",
            bucket=bucket.ref,
            policy_document=_document(_only_encrypted("s3:*", [bucket.attr_arn, f"{bucket.attr_arn}/*"])),
        )
        acknowledge(
            bucket,
            {"S1": "Each file is written once by the step that its key names; CloudTrail data events tell who read it"},
        )
        self._parameter("bucket", bucket.ref)

    def _finish_queues(self) -> None:
        queues = [*self._all(sqs.CfnQueue, "AWS::SQS::Queue").values()]
        for queue in queues:
            queue.sqs_managed_sse_enabled = True
        # SQS keeps one policy a queue: this one allows what the template does, too.
        policy = self._named("QueuePolicy", sqs.CfnQueuePolicy)
        allowed = self._body["Resources"]["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        policy.queues = [queue.ref for queue in queues]
        policy.policy_document = _document(*allowed, _only_encrypted("sqs:*", [queue.attr_arn for queue in queues]))

    def _finish_topics(self, components: tuple[Component, ...]) -> None:
        givers = {template.topic_placeholder(component.name): component.name for component in components}
        for name, topic in self._all(sns.CfnTopic, "AWS::SNS::Topic").items():
            self._parameter(f"topics/{givers[name]}", topic.ref)
            topic.kms_master_key_id = "alias/aws/sns"
            sns.CfnTopicPolicy(
                self,
                f"{name}Policy",
                topics=[topic.ref],
                policy_document=_document(_only_encrypted("sns:Publish", [topic.ref])),
            )

    def _finish_state_machine(self, pipeline: Pipeline) -> None:
        name = template.state_machine_name(pipeline.name)
        machine = self._named(name, stepfunctions.CfnStateMachine)
        # Of names that start so, one policy of the account serves any number:
        # https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        group_name = f"/aws/vendedlogs/states/{self._settings.prefix}-{pipeline.name}"
        group = log_group(self, f"{name}Logs", group_name, self._settings.log_days)
        machine.logging_configuration = stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
            level="ALL",
            include_execution_data=False,  # it holds task tokens
            destinations=[
                stepfunctions.CfnStateMachine.LogDestinationProperty(
                    cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                        log_group_arn=group.log_group_arn
                    )
                )
            ],
        )
        machine.tracing_configuration = stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True)
        watching = iam.CfnRolePolicy(
            self,
            f"{name}Watching",
            policy_name="WriteLogsAndTraces",
            role_name=self._named(f"{name}Role", iam.CfnRole).ref,
            policy_document=_document(
                {"Sid": "DeliverLogs", "Effect": "Allow", "Action": [*WRITE_LOGS], "Resource": "*"},
                {"Sid": "Trace", "Effect": "Allow", "Action": [*TRACE], "Resource": "*"},
            ),
        )
        acknowledge(
            watching,
            {
                "IAM5[Resource::*]": "Delivery of logs and X-Ray know no resources: docs of Step Functions, cw-logs, xray"
            },
        )
        machine.add_resource_dependency(watching)
        self._publish(name, pipeline, machine)

    def _publish(self, name: str, pipeline: Pipeline, machine: stepfunctions.CfnStateMachine) -> None:
        """Another definition makes another version. The old ones stay: runs go on with the one that they started with."""
        version = stepfunctions.CfnStateMachineVersion(
            self,
            f"{name}Version",
            state_machine_arn=machine.ref,
            state_machine_revision_id=machine.attr_state_machine_revision_id,
        )
        version.apply_removal_policy(RemovalPolicy.RETAIN, apply_to_update_replace_policy=True)
        alias = stepfunctions.CfnStateMachineAlias(
            self,
            f"{name}Alias",
            name=LIVE,
            routing_configuration=[
                stepfunctions.CfnStateMachineAlias.RoutingConfigurationVersionProperty(
                    state_machine_version_arn=version.ref, weight=100
                )
            ],
        )
        self._parameter(f"state-machines/{pipeline.name}", alias.ref)

    def _parameter(self, name: str, value: str) -> None:
        """For others in the account, who need not know how things are named."""
        ssm.StringParameter(
            self,
            "Parameter" + "".join(word.title() for word in name.replace("/", "-").split("-")),
            parameter_name=f"/{self._settings.prefix}/{name}",
            string_value=value,
        )


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _only_encrypted(action: str, resources: list[str]) -> Json:
    return {
        "Sid": "OnlyEncryptedConnections",
        "Effect": "Deny",
        "Principal": "*" if action != "s3:*" else {"AWS": "*"},
        "Action": action,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
