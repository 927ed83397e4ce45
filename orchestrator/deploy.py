"""`deploy`: one template, applied to whatever endpoint is configured, and the tables and routing in the database."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from contracts.component import Component
from contracts.errors import BadRequest, PipelineError
from contracts.pipeline import Pipeline
from contracts.pipelines import pipeline_named
from orchestrator import asl, template
from orchestrator.aws import Aws
from orchestrator.database import Connection, NotDeployed, fetch_all, make_tables
from orchestrator.template_place import placed

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

POLL = {"Delay": 1, "MaxAttempts": 600}

MADE_BY = "MadeBy"
"""An output of a stack whose resources are not for `deploy` to change: infra's messaging stack."""

_DEPLOYED = """
INSERT INTO deployments (prefix, template) VALUES (%s, %s)
ON CONFLICT (prefix, template) DO UPDATE SET deployed_at = excluded.deployed_at
"""

_REPLACED = """
SELECT max(other.deployed_at) AS at FROM deployments mine JOIN deployments other USING (prefix)
WHERE prefix = %(prefix)s AND mine.template = %(template)s AND other.deployed_at > mine.deployed_at
"""


@dataclass(frozen=True)
class Deployment:
    """What `deploy` made, by the names of the template's outputs."""

    outputs: dict[str, str]

    def topic_arn(self, component: Component) -> str:
        """Raises NotDeployed as `queue_url` does, also for what was deployed while there was one topic for all."""
        return self._found(component.name, component.versions[0], template.topic_placeholder(component.name))

    @property
    def bucket(self) -> str:
        return self.outputs["Bucket"]

    def queue_url(self, component: Component, version: str) -> str:
        """Raises NotDeployed when other code is deployed, which has no such queue."""
        return self._found(component.name, version, asl.queue_placeholder(component.name, version))

    def queue_url_of(self, component: str, version: str) -> str:
        """For a component that may have gone since. Raises BadRequest then."""
        url = self.outputs.get(asl.queue_placeholder(component, version))
        if url is None:
            raise BadRequest(f"{component} {version} is not deployed any more: deploy code that has it")
        return url

    def dead_letter_url(self, component: Component, version: str) -> str:
        """Raises NotDeployed as `queue_url` does."""
        return self._found(component.name, version, f"{asl.queue_placeholder(component.name, version)}DeadLetters")

    def queue_urls(self, pipeline: Pipeline) -> list[str]:
        """Of all components and versions that are deployed."""
        names = (asl.queue_placeholder(c.name, version) for c in pipeline.components for version in c.versions)
        return [self.outputs[name] for name in names if name in self.outputs]

    def _found(self, component: str, version: str, output: str) -> str:
        if output not in self.outputs:
            raise NotDeployed(f"{component} {version} is not deployed: run `brigade deploy` with code that has it")
        return self.outputs[output]

    def state_machine_arn(self, pipeline: str) -> str:
        """Raises NotDeployed when no pipeline of this name is deployed."""
        arn = self.outputs.get(template.state_machine_name(pipeline))
        if arn is None:
            raise NotDeployed(f"pipeline {pipeline} is not deployed: run `brigade deploy` with code that has it")
        return arn

    def worker_environment(self, component: Component, version: str) -> dict[str, str]:
        """The variables that `services.runtime.settings` reads."""
        return {
            "BRIGADE_QUEUE_URL": self.queue_url(component, version),
            "BRIGADE_DEAD_LETTER_URL": self.dead_letter_url(component, version),
            "BRIGADE_TOPIC_ARN": self.topic_arn(component),
            "BRIGADE_BUCKET": self.bucket,
            **self._nested(component, version),
        }

    def _nested(self, component: Component, version: str) -> dict[str, str]:
        nested = component.nested_in(version)
        if nested is None:
            return {}
        first = pipeline_named(nested.pipeline).components[0]
        return {
            "BRIGADE_NESTED_MACHINE": self.state_machine_arn(nested.pipeline),
            "BRIGADE_NESTED_QUEUE_URL": self.queue_url(first, first.versions[0]),
        }


def deploy(aws: Aws, connection: Connection, pipelines: tuple[Pipeline, ...], prefix: str) -> Deployment:
    """Apply the template, store each pipeline's routing under its digest, and publish the state machine that goes with it.

    A stack that is `MADE_BY` somebody else stays as it is, and must be of the same pipelines.

    Runs under way keep the routing and the state machine they started with, also when they are redriven. Raises
    PipelineError when a state machine is not valid, BadRequest when the stack cannot be made, or is of others.
    """
    if not re.fullmatch(template.PREFIX, prefix):
        raise BadRequest(f"'{prefix}' is no prefix: BRIGADE_PREFIX takes 2 to 31 small letters, digits and hyphens")
    for pipeline in pipelines:
        _validate(aws, pipeline)
    if _is_made_elsewhere(aws, prefix):
        _check_made(aws, find_deployment(aws, prefix), pipelines)
    else:
        _apply(aws, template.render(pipelines), prefix)
    make_tables(connection)
    for pipeline in pipelines:
        connection.execute(
            "INSERT INTO graphs (digest, body) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (pipeline.graph.digest, pipeline.graph.model_dump_json()),
        )
    deployment = find_deployment(aws, prefix)
    for pipeline in pipelines:
        _publish(aws, connection, deployment.state_machine_arn(pipeline.name), pipeline.graph.digest)
    connection.execute(_DEPLOYED, (prefix, _digest(pipelines)))
    return deployment


def replaced_at(connection: Connection, pipelines: tuple[Pipeline, ...], prefix: str) -> datetime | None:
    """When other code was deployed after this code had been; None when this is the latest, or has never been deployed."""
    make_tables(connection)
    rows = fetch_all(connection, _REPLACED, {"prefix": prefix, "template": _digest(pipelines)})
    at: datetime | None = rows[0]["at"]
    return at


def _digest(pipelines: tuple[Pipeline, ...]) -> str:
    """Of everything that `deploy` would apply."""
    return hashlib.sha256(json.dumps(template.render(pipelines), sort_keys=True).encode()).hexdigest()


def find_deployment(aws: Aws, prefix: str) -> Deployment:
    """Raises NotDeployed when nothing is deployed under this prefix."""
    try:
        stacks = aws.cloudformation.describe_stacks(StackName=prefix)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise NotDeployed(f"nothing is deployed under the prefix '{prefix}': run `brigade deploy` first") from error
    return Deployment({output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])})


def _is_made_elsewhere(aws: Aws, prefix: str) -> bool:
    try:
        return MADE_BY in find_deployment(aws, prefix).outputs
    except NotDeployed:
        return False


def _check_made(aws: Aws, made: Deployment, pipelines: tuple[Pipeline, ...]) -> None:
    """Its state machines say which graph they were rendered from, and everything else follows from that, too."""
    for pipeline in pipelines:
        machine = made.outputs.get(template.state_machine_name(pipeline.name))
        found = aws.stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"] if machine else ""
        if f"graph {pipeline.graph.digest}," not in found:
            raise BadRequest(
                f"the messaging stack has no {pipeline.name} of graph {pipeline.graph.digest}, as this code has it, and "
                f"is made by {made.outputs[MADE_BY]}: deploy its template of this code first (docs/deployment.md)"
            )


def _publish(aws: Aws, connection: Connection, machine: str, digest: str) -> None:
    """Keep the state machine as it is now. What has been published already is not published again."""
    version = aws.stepfunctions.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    with connection.transaction():
        # Versions are numbered from 1 again when the state machine was lost or deleted: who had the number has it no more.
        connection.execute("DELETE FROM state_machines WHERE version = %s", (version,))
        connection.execute(
            """
            INSERT INTO state_machines (machine, graph, version) VALUES (%s, %s, %s)
            ON CONFLICT (machine, graph) DO UPDATE SET version = excluded.version
            """,
            (machine, digest, version),
        )


def published_version(connection: Connection, machine: str, digest: str) -> str | None:
    """The ARN of the state machine's version that was rendered from this graph, if there is one."""
    query = "SELECT version FROM state_machines WHERE machine = %(machine)s AND graph = %(digest)s"
    rows = fetch_all(connection, query, {"machine": machine, "digest": digest})
    return str(rows[0]["version"]) if rows else None


def _validate(aws: Aws, pipeline: Pipeline) -> None:
    definition = asl.render(pipeline)
    text = json.dumps(definition)
    for component in pipeline.components:
        for version in component.versions:
            placeholder = "${" + asl.queue_placeholder(component.name, version) + "}"
            text = text.replace(placeholder, "https://sqs.us-east-1.amazonaws.com/000000000000/queue")
    answer = aws.stepfunctions.validate_state_machine_definition(definition=text)
    problems = [f"{d['message']} ({d.get('location', 'no place')})" for d in answer["diagnostics"]]
    if answer["result"] != "OK":
        raise PipelineError(f"the state machine of {pipeline.name} is not valid: {'; '.join(problems)}")


def _apply(aws: Aws, body: dict[str, Any], prefix: str) -> None:
    cloudformation = aws.cloudformation
    arguments: Any = {
        "StackName": prefix,
        **placed(aws, json.dumps(body, separators=(",", ":")), prefix),
        "Parameters": [{"ParameterKey": "Prefix", "ParameterValue": prefix}],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        if _exists(cloudformation, prefix):
            cloudformation.update_stack(**arguments)
            waiter: Any = cloudformation.get_waiter("stack_update_complete")
        else:
            cloudformation.create_stack(**arguments)
            waiter = cloudformation.get_waiter("stack_create_complete")
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return
        raise BadRequest(f"the stack '{prefix}' was refused: {error.response['Error']['Message']}") from error
    try:
        waiter.wait(StackName=prefix, WaiterConfig=POLL)
    except WaiterError as error:
        raise BadRequest(f"the stack '{prefix}' did not complete: {_first_failure(cloudformation, prefix)}") from error


def _exists(cloudformation: "CloudFormationClient", prefix: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=prefix)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return True


def _first_failure(cloudformation: "CloudFormationClient", prefix: str) -> str:
    """The oldest failure is the cause; later ones are cancellations."""
    events = cloudformation.describe_stack_events(StackName=prefix)["StackEvents"]
    failures = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
    if not failures:
        return "no event says why"
    return f"{failures[-1].get('LogicalResourceId')}: {failures[-1].get('ResourceStatusReason', 'no reason given')}"
