"""What a worker reads from its environment, once, in its composition root."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.errors import BadRequest


class Settings(BaseSettings):
    """`DATABASE_URL` and the queues, topic and bucket that `deploy` made, as `BRIGADE_...` variables.

    AWS endpoint, region and credentials are read by botocore itself from its usual variables.
    """

    model_config = SettingsConfigDict(env_prefix="BRIGADE_", frozen=True)

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    """Only a stateless component can do without."""
    queue_url: str
    dead_letter_url: str
    topic_arn: str
    bucket: str
    nested_machine: str | None = None
    nested_queue_url: str | None = None
    """Of a version that is a run of a pipeline: its state machine's ARN, and its first component's queue."""
    log_location: str = "stdout"
    worker_name: str = ""
    log_level: str = "INFO"
    concurrency: int | None = None
    poll_seconds: int = 20
    """How long a receive waits for a message. A stopping worker waits for it too: a poll cut off may take messages with it."""
    drain_seconds: float = 25.0
    forecast_role: str = "arn:aws:iam::000000000000:role/forecast"
    """With which Amazon Forecast reads and writes files. `brigade forecast-api` takes any."""
    alive_file: Path | None = None
    """Touched each second, for `services.runtime.health`."""


def read_settings() -> Settings:
    """Raises BadRequest naming every variable that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        names = ((str(problem["loc"][0]), problem["msg"]) for problem in error.errors(include_input=False))
        problems = (f"{name if name.isupper() else f'BRIGADE_{name.upper()}'}: {message}" for name, message in names)
        raise BadRequest(
            f"a worker needs other variables ({'; '.join(problems)}): `brigade worker` sets them"
        ) from error


def names_a_collector(environment: Mapping[str, str]) -> bool:
    """Whether spans are to be sent: OpenTelemetry's own variables say where and how."""
    return any(environment.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT"))
