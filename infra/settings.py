"""What may differ between deployments: options of `python -m infra`, or `BRIGADE_INFRA_...` variables."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.template import PREFIX


class Settings(BaseSettings):
    """Write CloudFormation templates for Brigade on AWS to a folder, checked by cdk-nag; nothing is asked of AWS.

    Example: python -m infra --out cdk.out --tag 2026-11-30 --arm64 true
    """

    model_config = SettingsConfigDict(
        env_prefix="BRIGADE_INFRA_",
        frozen=True,
        use_attribute_docstrings=True,
        cli_kebab_case=True,
        cli_prog_name="python -m infra",
        cli_hide_none_type=True,
    )

    out: Path = Path("cdk.out")
    """The folder the templates go to."""
    prefix: str = Field(default="brigade", pattern=f"^{PREFIX}$")
    """What everything is named after, so that several deployments can share an account."""
    tag: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
    """Of the images to run; a tag is never moved."""
    deploy_tag: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
    """Of the image that the task `deploy` runs, where tables are to change before the workers do. The other tag by default."""
    stopped: bool = False
    """Run nothing: before `deploy` has made the tables, which workers need to start, and to pause."""
    arm64: bool = False
    """Run on Graviton: a fifth cheaper; the images must have been built for it."""
    style: Literal["orchestrated", "choreographed"] = "orchestrated"
    """Of the runs that schedules start."""
    vpc_id: str | None = None
    """A VPC that is there already, whose subnets reach AWS. A new one is made otherwise."""
    subnet_ids: tuple[str, ...] = ()
    """Private subnets of that VPC, at least two, as a JSON list."""
    database_secret_arn: str | None = None
    """A secret of Secrets Manager that holds the DATABASE_URL of a PostgreSQL that is there already. RDS is made otherwise."""
    database_class: str = "t4g.small"
    """Of RDS. Each worker holds up to five connections: t4g.small allows about 200."""
    multi_az: bool = False
    """Keep a standby of RDS in another availability zone: twice its price."""
    alarm_email: str | None = None
    """Who hears of alarms. Others can subscribe to the topic PREFIX-alarms."""
    log_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = 30
    """How long logs are kept."""
    file_days: int = Field(default=90, ge=1)
    """How long files of runs are kept in S3. A redrive of an older run makes them again."""

    @model_validator(mode="after")
    def _subnets_of_a_vpc(self) -> Self:
        if (self.vpc_id is None) != (not self.subnet_ids):
            raise ValueError("a VPC and its subnets are given together: set both --vpc-id and --subnet-ids, or neither")
        if len(self.subnet_ids) == 1:
            raise ValueError("one subnet is one availability zone: give at least two --subnet-ids")
        return self


def read_settings(arguments: list[str] | None = None) -> Settings:
    """Of the command line, then the environment. Raises ValidationError; `--help` and unknown options exit."""
    return Settings(_cli_parse_args=arguments if arguments is not None else True)
