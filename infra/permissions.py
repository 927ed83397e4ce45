"""What each role may do: the statements of its policy, from the graph. Nothing is allowed anywhere else.

A statement's sid says what it is for. Where it has a wildcard, `WILDCARDS` says why, to cdk-nag and to whoever reads; a test
walks every statement of the templates and accepts no other.
"""

from aws_cdk import aws_iam as iam

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components, pipeline_named, workers
from infra.names import Names, arn, bucket_arn

WILDCARDS = {
    "AnswerTaskTokens": (
        "SendTask... know no resources: the token is what opens the door, and it comes through a component's own queue only"
    ),
    "CheckDefinitions": "ValidateStateMachineDefinition looks at a definition that is no resource yet",
    "FindDeployment": "A stack's ARN ends with an id that CloudFormation chooses",
    "FollowAndStopRuns": "Executions are named after runs, which are not known beforehand",
    "ListForecasts": "Lists of Amazon Forecast and CreateAutoPredictor know no resources",
    "MakeForecasts": "What Amazon Forecast makes is named after runs, which are not known beforehand",
    "NoticeEndedExecutions": "Executions are named after runs, which are not known beforehand; each worker helps to sweep",
    "ReadFiles": "Whoever redrives a run looks whether its files are still there, whichever component wrote them",
    "ReadFilesOfNeeds": "Files are named after runs, which are not known beforehand, below their component's prefix",
    "StartNestedRuns": "A run starts the version of the state machine that it is pinned to",
    "StartRuns": "A run starts the version of the state machine that it is pinned to",
    "UseFilesOfForecasts": "Files are named after runs, which are not known beforehand, below their component's prefix",
    "WriteOwnFiles": "Files are named after runs, which are not known beforehand, below their component's prefix",
}
"""Reasons, by sid. What actions can be limited to: https://docs.aws.amazon.com/service-authorization/latest/reference/."""


def worker(
    component: Component, version: str, pipelines: tuple[Pipeline, ...], names: Names
) -> list[iam.PolicyStatement]:
    """Take from the own queue, send to it and to its dead letters, publish to the own topic, answer, use the own files."""
    queue, dead_letters = names.queue(component, version), names.dead_letters(component, version)
    return [
        allow(
            "TakeFromOwnQueue",
            ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
            [arn("sqs", queue)],
        ),
        allow("SendOwnCommands", ("sqs:SendMessage",), [arn("sqs", queue), arn("sqs", dead_letters)]),
        allow("PublishOwnEvents", ("sns:Publish",), [arn("sns", names.topic(component))]),
        allow(
            "AnswerTaskTokens", ("states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"), ["*"]
        ),
        allow("NoticeEndedExecutions", ("states:DescribeExecution",), _executions(pipelines, names)),
        allow("WriteOwnFiles", ("s3:PutObject",), [files(component.name, names)]),
        allow(
            "ReadFilesOfNeeds", ("s3:GetObject",), [files(name, names) for name in sorted(reads(component, pipelines))]
        ),
        _tell_missing_files(names),
        *_start_nested_runs(component, version, pipelines, names),
    ]


def _start_nested_runs(
    component: Component, version: str, pipelines: tuple[Pipeline, ...], names: Names
) -> list[iam.PolicyStatement]:
    """Of a version that is a run of a pipeline: by its state machine, or through its first component's queue."""
    nested = component.nested_in(version)
    if nested is None:
        return []
    pipeline = pipeline_named(nested.pipeline, pipelines)
    first = pipeline.components[0]
    (machine,) = _machines((pipeline,), names)
    return [
        allow("StartNestedRuns", ("states:StartExecution",), [machine, f"{machine}:*"]),
        allow("SendFirstCommands", ("sqs:SendMessage",), [arn("sqs", names.queue(first, first.versions[0]))]),
    ]


def reads(component: Component, pipelines: tuple[Pipeline, ...]) -> set[str]:
    """The components whose files it reads: its own, those of the answers that it takes, and, for a planner, those whose earlier
    answers it looks for, to be reused or fallen back on.

    An answer that is a run of a pipeline refers to the files of that pipeline's last component.
    """
    found = {component.name}
    for graph in (pipeline.graph for pipeline in pipelines if pipeline.graph.has(component.name)):
        found |= {need.component for need in graph.node(component.name).needs}
        if graph.planner.component == component.name:
            found |= {node.component for node in graph.nodes if node.selection or node.fallback}
    return found | {
        pipeline_named(nested.pipeline, pipelines).components[-1].name
        for giver, version in workers(pipelines)
        if giver.name in found and (nested := giver.nested_in(version))
    }


def operator(pipelines: tuple[Pipeline, ...], names: Names) -> list[iam.PolicyStatement]:
    """Start, stop and redrive runs, count what they cost, look at what they wrote, and see to dead letters: the HTTP service
    and the commands."""
    versions = [(component, version) for component in all_components(pipelines) for version in component.versions]
    queues = [arn("sqs", names.queue(component, version)) for component, version in versions]
    dead_letters = [arn("sqs", names.dead_letters(component, version)) for component, version in versions]
    return [
        allow("FindDeployment", ("cloudformation:DescribeStacks",), [arn("cloudformation", f"stack/{names.prefix}/*")]),
        allow(
            "StartRuns",
            ("states:StartExecution", "states:DescribeStateMachine"),
            [each for machine in _machines(pipelines, names) for each in (machine, f"{machine}:*")],
        ),
        allow(
            "FollowAndStopRuns",
            ("states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"),
            _executions(pipelines, names),
        ),
        allow("SendCommands", ("sqs:SendMessage", "sqs:GetQueueAttributes"), queues),
        allow(
            "SeeToDeadLetters", ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"), dead_letters
        ),
        allow("ReadFiles", ("s3:GetObject",), [f"{bucket_arn(names.bucket)}/*"]),
        _tell_missing_files(names),
    ]


def deployer(pipelines: tuple[Pipeline, ...], names: Names) -> list[iam.PolicyStatement]:
    """`brigade deploy`, which finds the messaging stack made, checks it, and publishes what is not published yet."""
    return [
        allow("FindDeployment", ("cloudformation:DescribeStacks",), [arn("cloudformation", f"stack/{names.prefix}/*")]),
        allow("CheckDefinitions", ("states:ValidateStateMachineDefinition",), ["*"]),
        allow(
            "PublishVersions",
            ("states:DescribeStateMachine", "states:PublishStateMachineVersion"),
            _machines(pipelines, names),
        ),
    ]


def allow(sid: str, actions: tuple[str, ...], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=[*actions], resources=resources)


def files(component: str, names: Names) -> str:
    """As `services.runtime.context` names them: the component comes first, so that it is a prefix."""
    return f"{bucket_arn(names.bucket)}/{component}/*"


def _tell_missing_files(names: Names) -> iam.PolicyStatement:
    """Without it S3 answers 403 for a file that is gone, and not 404."""
    return allow("TellMissingFiles", ("s3:ListBucket",), [bucket_arn(names.bucket)])


def _machines(pipelines: tuple[Pipeline, ...], names: Names) -> list[str]:
    return [arn("states", f"stateMachine:{names.state_machine(pipeline)}") for pipeline in pipelines]


def _executions(pipelines: tuple[Pipeline, ...], names: Names) -> list[str]:
    return [arn("states", f"execution:{names.state_machine(pipeline)}:*") for pipeline in pipelines]
