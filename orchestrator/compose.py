"""The workers in docker-compose.yml, and in the example that mounts the source into them: a service for each component and
version, between two comments. Everything else in these files is written by hand.
"""

import tomllib
from pathlib import Path

from contracts.component import AMAZON_FORECAST, Component
from contracts.errors import BadRequest
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components, pipeline_named
from orchestrator import template
from orchestrator.embedded.stack import FORECAST

FILE = "docker-compose.yml"
EXAMPLE = "compose.override.example.yml"

BEGIN = "  # Workers: written by `make render`\n"
END = "  # End of workers\n"

TOPICS = "arn:aws:sns:us-east-1:000000000000:brigade"
MACHINES = "arn:aws:states:us-east-1:000000000000:stateMachine:brigade"
QUEUES = "http://localstack:4566/queue/us-east-1/000000000000/brigade"


def texts(pipelines: tuple[Pipeline, ...], checkout: Path) -> dict[str, str]:
    """Both files as they should be, by path in the checkout. Raises BadRequest when one lacks the comments."""
    if not (checkout / FILE).exists():
        raise BadRequest(f"there is no {FILE} in {checkout}: render in a checkout of the project")
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    workers = [(c, version) for c in all_components(pipelines) for version in c.versions]
    services = "\n".join(_service(component, version, extras, pipelines) for component, version in workers)
    mounts = "".join(f"  {template.queue_name(component, version)}: *worker\n" for component, version in workers)
    return {FILE: _put(checkout / FILE, services), EXAMPLE: _put(checkout / EXAMPLE, mounts)}


def _put(file: Path, workers: str) -> str:
    text = file.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadRequest(f"{file} has no lines '{BEGIN.strip()}' and '{END.strip()}' for its workers to stand between")
    return f"{before}{begin}{workers}{end}{after}"


def _profile(component: Component, version: str, pipelines: tuple[Pipeline, ...]) -> str | None:
    """What the first pipeline needs, `up` starts; the others are profiles, for a laptop that has enough to do."""
    nested = component.nested_in(version)
    if nested:
        return nested.pipeline
    home = next(pipeline for pipeline in pipelines if component in pipeline.components)
    return None if home is pipelines[0] else home.name


def _also(component: Component, version: str, pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """What only some workers are told."""
    found = {}
    if nested := component.nested_in(version):
        first = pipeline_named(nested.pipeline, pipelines).components[0]
        found["BRIGADE_NESTED_MACHINE"] = f"{MACHINES}-{nested.pipeline}"
        found["BRIGADE_NESTED_QUEUE_URL"] = f"{QUEUES}-{template.queue_name(first, first.versions[0])}"
    if AMAZON_FORECAST in component.uses:
        found |= dict.fromkeys(FORECAST, "http://forecast-api:9298")
    return found


def _service(component: Component, version: str, extras: set[str], pipelines: tuple[Pipeline, ...]) -> str:
    """The image is built by the service of the first version, and holds all of them."""
    name = template.queue_name(component, version)
    arguments = f"COMPONENT: {component.name}" + (f", EXTRAS: {component.name}" if component.name in extras else "")
    image = (
        f"build: {{context: ., target: worker, args: {{{arguments}}}}}"
        if version == component.versions[0]
        else f"pull_policy: never # `{component.name}` builds it"
    )
    profile = _profile(component, version, pipelines)
    profiles = f"\n    profiles: [{profile}]" if profile else ""
    also = "".join(f"\n      {key}: {value}" for key, value in _also(component, version, pipelines).items())
    return f"""\
  {name}:
    <<: *worker
    image: brigade-{component.name}:${{BRIGADE_TAG:-dev}}
    {image}{profiles}
    command: [{component.name}, --version, {version}]
    environment:
      <<: *worker-environment
      BRIGADE_QUEUE_URL: {QUEUES}-{name}
      BRIGADE_DEAD_LETTER_URL: {QUEUES}-{name}-dead-letters
      BRIGADE_TOPIC_ARN: {TOPICS}-{template.topic_name(component)}
      BRIGADE_LOG_LOCATION: docker compose logs {name}{also}
"""
