"""What each role may do: the statements of its policy, from the graph. Nothing is allowed anywhere else.

A statement's sid says what it is for. Where it has a wildcard, `WILDCARDS` says why, to cdk-nag and to whoever reads; a test
walks every statement of the templates and accepts no other.
"""

from aws_cdk import aws_iam as iam

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from infra.names import Names, arn, bucket_arn

WILDCARDS = {
    "AnswerTaskTokens": (
        "SendTask... know no resources: the token is what opens the door, and it comes through a component's own queue only"
    ),
    "CheckDefinitions": "ValidateStateMachineDefinition looks at a definition that is no resource yet",
    "FindDeployment": "A stack's ARN ends with an id that CloudFormation chooses",
    "FollowAndStopRuns": "Executions are named after runs, which are not known beforehand",
    "NoticeEndedExecutions": "Executions are named after runs, which are not known beforehand; each worker helps to sweep",
    "ReadFiles": "Whoever redrives a run looks whether its files are still there, whichever component wrote them",
    "ReadFilesOfNeeds": "Files are named after runs, which are not known beforehand, below their component's prefix",
    "StartRuns": "A run starts the version of the state machine that it is pinned to",
    "WriteOwnFiles": "Files are named after runs, which are not known beforehand, below their component's prefix",
}
"""Reasons, by sid. What actions can be limited to: https://docs.aws.amazon.com/service-authorization/latest/reference/."""


def worker(
    component: Component, version: str, pipelines: tuple[Pipeline, ...], names: Names
) -> list[iam.PolicyStatement]:
    """Take from the own queue, send to it and to its dead letters, publish to the own topic, answer, use the own files."""
    queue, dead_letters = names.queue(component, version), names.dead_letters(component, version)
    return [
        _allow(
            "TakeFromOwnQueue",
            ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
            [arn("sqs", queue)],
        ),
        _allow("SendOwnCommands", ("sqs:SendMessage",), [arn("sqs", queue), arn("sqs", dead_letters)]),
        _allow("PublishOwnEvents", ("sns:Publish",), [arn("sns", names.topic(component))]),
        _allow(
            "AnswerTaskTokens", ("states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"), ["*"]
        ),
        _allow("NoticeEndedExecutions", ("states:DescribeExecution",), _executions(pipelines, names)),
        _allow("WriteOwnFiles", ("s3:PutObject",), [_files(component.name, names)]),
        _allow(
            "ReadFilesOfNeeds", ("s3:GetObject",), [_files(name, names) for name in sorted(reads(component, pipelines))]
        ),
        _tell_missing_files(names),
    ]


def reads(component: Component, pipelines: tuple[Pipeline, ...]) -> set[str]:
    """The components whose files it reads: its own, those of the answers that it takes, and, for a planner, those whose earlier
    answers it looks for, to be reused or fallen back on."""
    found = {component.name}
    for graph in (pipeline.graph for pipeline in pipelines if pipeline.graph.has(component.name)):
        found |= {need.component for need in graph.node(component.name).needs}
        if graph.planner.component == component.name:
            found |= {node.component for node in graph.nodes if node.selection or node.fallback}
    return found


def operator(pipelines: tuple[Pipeline, ...], names: Names) -> list[iam.PolicyStatement]:
    """Start, stop and redrive runs, count what they cost, look at what they wrote, and see to dead letters: the HTTP service
    and the commands."""
    workers = [(component, version) for component in all_components(pipelines) for version in component.versions]
    queues = [arn("sqs", names.queue(component, version)) for component, version in workers]
    dead_letters = [arn("sqs", names.dead_letters(component, version)) for component, version in workers]
    return [
        _allow(
            "FindDeployment", ("cloudformation:DescribeStacks",), [arn("cloudformation", f"stack/{names.prefix}/*")]
        ),
        _allow(
            "StartRuns",
            ("states:StartExecution", "states:DescribeStateMachine"),
            [each for machine in _machines(pipelines, names) for each in (machine, f"{machine}:*")],
        ),
        _allow(
            "FollowAndStopRuns",
            ("states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"),
            _executions(pipelines, names),
        ),
        _allow("SendCommands", ("sqs:SendMessage", "sqs:GetQueueAttributes"), queues),
        _allow(
            "SeeToDeadLetters", ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"), dead_letters
        ),
        _allow("ReadFiles", ("s3:GetObject",), [f"{bucket_arn(names.bucket)}/*"]),
        _tell_missing_files(names),
    ]


def deployer(pipelines: tuple[Pipeline, ...], names: Names) -> list[iam.PolicyStatement]:
    """`brigade deploy`, which finds the messaging stack made, checks it, and publishes what is not published yet."""
    return [
        _allow(
            "FindDeployment", ("cloudformation:DescribeStacks",), [arn("cloudformation", f"stack/{names.prefix}/*")]
        ),
        _allow("CheckDefinitions", ("states:ValidateStateMachineDefinition",), ["*"]),
        _allow(
            "PublishVersions",
            ("states:DescribeStateMachine", "states:PublishStateMachineVersion"),
            _machines(pipelines, names),
        ),
    ]


def _allow(sid: str, actions: tuple[str, ...], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=[*actions], resources=resources)


def _files(component: str, names: Names) -> str:
    """As `services.runtime.context` names them: the component comes first, so that it is a prefix."""
    return f"{bucket_arn(names.bucket)}/{component}/*"


def _tell_missing_files(names: Names) -> iam.PolicyStatement:
    """Without it S3 answers 403 for a file that is gone, and not 404."""
    return _allow("TellMissingFiles", ("s3:ListBucket",), [bucket_arn(names.bucket)])


def _machines(pipelines: tuple[Pipeline, ...], names: Names) -> list[str]:
    return [arn("states", f"stateMachine:{names.state_machine(pipeline)}") for pipeline in pipelines]


def _executions(pipelines: tuple[Pipeline, ...], names: Names) -> list[str]:
    return [arn("states", f"execution:{names.state_machine(pipeline)}:*") for pipeline in pipelines]
