"""The images stack: a repository for each image of the Dockerfile. It comes first, so that there is something to push to."""

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from infra.settings import Settings

KEPT = 20
"""Images of each repository: as many deployments back is rolling back possible."""


def repository_name(prefix: str, image: str) -> str:
    """As docker-compose.yml names its images, after the prefix."""
    return f"{prefix}-{image}"


class ImagesStack(Stack):
    def __init__(self, scope: Construct, settings: Settings, pipelines: tuple[Pipeline, ...], **props: Any) -> None:
        super().__init__(
            scope,
            "Images",
            stack_name=f"{settings.prefix}-images",
            description="Brigade's image repositories, rendered from contracts/pipelines.py",
            **props,
        )
        for image in ("orchestrator", *(component.name for component in all_components(pipelines))):
            ecr.Repository(
                self,
                "".join(word.title() for word in image.split("-")),
                repository_name=repository_name(settings.prefix, image),
                image_scan_on_push=True,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                encryption=ecr.RepositoryEncryption.AES_256,
                removal_policy=RemovalPolicy.RETAIN,
                lifecycle_rules=[
                    ecr.LifecycleRule(
                        rule_priority=1, tag_status=ecr.TagStatus.UNTAGGED, max_image_age=Duration.days(1)
                    ),
                    ecr.LifecycleRule(rule_priority=2, max_image_count=KEPT),
                ],
            )
