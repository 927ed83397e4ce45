"""Amazon Forecast, for the components that use it: what they may ask it for, and the role by which it uses their files."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from contracts.component import AMAZON_FORECAST, Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from infra import permissions
from infra.acknowledged import acknowledge_wildcards
from infra.names import Names, arn, bucket_arn

SERVICE = "forecast.amazonaws.com"

KINDS = {
    "Dataset": "dataset",
    "DatasetGroup": "dataset-group",
    "DatasetImportJob": "dataset-import-job",
    "Forecast": "forecast",
    "ForecastExportJob": "forecast-export-job",
    "Predictor": "predictor",
}
"""What steps have it make (services/runtime/forecast_requests.py), by the beginnings of their ARNs:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonforecast.html."""


def uses(component: Component) -> bool:
    return AMAZON_FORECAST in component.uses


def forecast_role(scope: Construct, names: Names, pipelines: tuple[Pipeline, ...]) -> iam.Role | None:
    """The role of Amazon Forecast: it reads and writes where its users do. None when there are none."""
    users = [component for component in all_components(pipelines) if uses(component)]
    if not users:
        return None
    this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    role = iam.Role(scope, "ForecastRole", assumed_by=iam.ServicePrincipal(SERVICE, conditions=this_account))
    for statement in (
        permissions.allow(
            "UseFilesOfForecasts",
            ("s3:GetObject", "s3:PutObject"),
            [permissions.files(user.name, names) for user in users],
        ),
        permissions.allow("FindFiles", ("s3:ListBucket", "s3:GetBucketLocation"), [bucket_arn(names.bucket)]),
    ):
        role.add_to_policy(statement)
        acknowledge_wildcards(role, statement)
    return role


def asking(role: iam.IRole) -> list[iam.PolicyStatement]:
    """What a worker that uses it may do: make and delete what its steps are waiting for, and hand it that role."""
    made = [f"forecast:{does}{kind}" for kind in KINDS for does in ("Create", "Delete", "Describe")]
    made.remove("forecast:CreatePredictor")  # an auto predictor is made, below
    pass_role = permissions.allow("PassForecastRole", ("iam:PassRole",), [role.role_arn])
    pass_role.add_condition("StringEquals", {"iam:PassedToService": SERVICE})
    return [
        permissions.allow(
            "MakeForecasts",
            (*made, "forecast:UpdateDatasetGroup"),
            [arn("forecast", f"{kind}/*") for kind in KINDS.values()],
        ),
        permissions.allow(
            "ListForecasts", (*(f"forecast:List{kind}s" for kind in KINDS), "forecast:CreateAutoPredictor"), ["*"]
        ),
        pass_role,
    ]
