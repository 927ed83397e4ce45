"""A page for each pipeline: how its runs end, how long they take, and what waits for whom."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contracts.pipeline import Pipeline
from infra import metrics
from infra.names import Names
from infra.workers import Worker

ENDS = ("RunsSucceeded", "RunsDegraded", "RunsFailed", "RunsTimedOut")

HALF = 12
"""Of a page, in columns."""


def dashboard(scope: Construct, names: Names, pipeline: Pipeline, workers: Sequence[Worker]) -> None:
    own = [worker for worker in workers if worker.component in pipeline.components]
    cloudwatch.Dashboard(
        scope,
        "Dashboard" + "".join(word.title() for word in pipeline.name.split("-")),
        dashboard_name=f"{names.prefix}-{pipeline.name}",
        default_interval=Duration.days(1),
        widgets=[
            [_runs(pipeline), _durations(pipeline)],
            *([_queue(names, worker), _workers(worker)] for worker in own),
        ],
    )


def _runs(pipeline: Pipeline) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"Runs of {pipeline.name} that ended, both styles",
        left=[metrics.runs(pipeline, end) for end in ENDS],
        stacked=True,
        width=HALF,
    )


def _durations(pipeline: Pipeline) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Seconds a run took, P90",
        left=[metrics.of_style(pipeline, "RunDuration", style, "p90") for style in metrics.STYLES],
        width=HALF,
    )


def _queue(names: Names, worker: Worker) -> cloudwatch.GraphWidget:
    queue = names.queue(worker.component, worker.version)
    dead_letters = names.dead_letters(worker.component, worker.version)
    return cloudwatch.GraphWidget(
        title=f"{queue} ({worker.component.squad})",
        left=[metrics.visible(queue), metrics.dead_letters(dead_letters)],
        right=[metrics.age_of_oldest(queue)],
        width=HALF,
    )


def _workers(worker: Worker) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Its workers", left=[metrics.tasks(worker)], left_y_axis=cloudwatch.YAxisProps(min=0), width=HALF
    )
