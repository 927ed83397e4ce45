"""What a worker reads from its environment, once, in its composition root."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    log_location: str = "stdout"
    worker_name: str = ""
    log_level: str = "INFO"
    concurrency: int | None = None
    drain_seconds: float = 25.0
