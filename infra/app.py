"""The composition root: which stacks there are, and what checks them."""

from pathlib import Path

from aws_cdk import App, BootstraplessSynthesizer, Validations
from cdk_nag import AwsSolutionsChecks

from contracts.errors import BadRequest
from contracts.pipeline import Pipeline
from infra.compute import ComputeStack
from infra.images import ImagesStack
from infra.messaging import MessagingStack
from infra.settings import Settings


class ChecksFailed(BadRequest):
    """cdk-nag objects to a resource. Mend it, or acknowledge the rule beside it, with the reason."""


def synthesise(settings: Settings, pipelines: tuple[Pipeline, ...]) -> list[Path]:
    """Write all stacks' templates to `settings.out`, and give their paths, in the order they are deployed in.

    Raises ChecksFailed; cdk-nag has said on standard error what it objects to then.
    """
    app = App(outdir=str(settings.out), analytics_reporting=False)
    images = ImagesStack(app, settings, pipelines, synthesizer=BootstraplessSynthesizer())
    messaging = MessagingStack(app, settings, pipelines, synthesizer=BootstraplessSynthesizer())
    compute = ComputeStack(app, settings, pipelines, synthesizer=BootstraplessSynthesizer())
    compute.add_stack_dependency(images)
    compute.add_stack_dependency(messaging)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        assembly = app.synth()
    except RuntimeError as error:  # what jsii makes of every error of Node
        if not str(error).startswith("ValidationFailed"):
            raise
        raise ChecksFailed(f"cdk-nag objects to {settings.out}: mend it, or acknowledge the rule there") from error
    return [
        Path(assembly.get_stack_by_name(stack.stack_name).template_full_path) for stack in (images, messaging, compute)
    ]
