"""docker-compose.yml and the Dockerfile against the pipelines, the template and what a worker reads."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.component import Component
from contracts.pipelines import PIPELINES, all_components
from orchestrator import template
from orchestrator.cli.stack import COMPOSED
from orchestrator.embedded import localstack
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import ONE_THREAD
from orchestrator.token import find_token
from services.forecast_api.__main__ import PORT as DEFAULT_PORT
from services.runtime.settings import Settings

ROOT = Path(__file__).parents[3]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ACCOUNT = "000000000000"

WORKERS = {
    template.queue_name(component, version): (component, version)
    for component in all_components()
    for version in component.versions
}
worker = pytest.mark.parametrize(
    ("name", "component", "version"), [(name, *worker) for name, worker in WORKERS.items()]
)


def made_name(resource: str, property_name: str) -> str:
    """What `deploy` calls something on LocalStack, by the template."""
    named: str = template.render(PIPELINES)["Resources"][resource]["Properties"][property_name]["Fn::Sub"]
    return named.replace("${Prefix}", "brigade").replace("${AWS::AccountId}", ACCOUNT)


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_there_is_a_service_for_every_component_and_version_and_no_other() -> None:
    assert {name for name, service in SERVICES.items() if "BRIGADE_QUEUE_URL" in service.get("environment", {})} == set(
        WORKERS
    )


@worker
def test_a_service_runs_its_component_and_version(name: str, component: Component, version: str) -> None:
    service = SERVICES[name]
    assert service["command"] == [component.name, "--version", version]
    assert service["image"] == f"brigade-{component.name}:${{BRIGADE_TAG:-dev}}"
    assert service["depends_on"] == {"deploy": {"condition": "service_completed_successfully"}}


@worker
def test_its_image_holds_the_component_and_its_extra_alone(name: str, component: Component, version: str) -> None:
    """One service builds the image, the other versions share it."""
    if version != component.versions[0]:
        assert "build" not in SERVICES[name]
        assert SERVICES[name]["pull_policy"] == "never"
        return
    extra = {"EXTRAS": component.name} if component.name in PROJECT["optional-dependencies"] else {}
    build = {"context": ".", "target": "worker", "args": {"COMPONENT": component.name, **extra}}
    assert SERVICES[name]["build"] == build


@worker
def test_it_reads_the_queues_that_deploy_makes(
    name: str, component: Component, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    queue = f"{SERVICES[name]['environment']['AWS_ENDPOINT_URL']}/queue/us-east-1/{ACCOUNT}/brigade-{name}"
    assert settings.queue_url == queue
    assert settings.dead_letter_url == f"{queue}-dead-letters"
    topic = made_name(template.topic_placeholder(component.name), "TopicName")
    assert settings.topic_arn == f"arn:aws:sns:us-east-1:{ACCOUNT}:{topic}"
    assert settings.bucket == made_name("Bucket", "BucketName")
    assert settings.database_url == "postgresql://brigade@db:5432/brigade"
    assert settings.log_location == f"docker compose logs {name}"


@worker
def test_docker_waits_until_a_worker_has_stopped(
    name: str, component: Component, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends its poll and its steps side by side, then what came with the poll: services/runtime/worker.py."""
    for key, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    longest = max(settings.poll_seconds + 2, settings.drain_seconds) + settings.drain_seconds
    assert seconds(SERVICES[name]["stop_grace_period"]) >= longest + 5


def test_queues_are_called_as_in_the_template() -> None:
    queues = {
        resource["Properties"]["QueueName"]["Fn::Sub"].removeprefix("${Prefix}-")
        for resource in template.render(PIPELINES)["Resources"].values()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    assert queues == {*WORKERS, *(f"{name}-dead-letters" for name in WORKERS)}


def test_ports_are_open_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) >= 2
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_we_build_is_confined() -> None:
    ours = [service for service in SERVICES.values() if service["image"].startswith("brigade-")]
    assert len(ours) >= len(WORKERS) + 3
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_service_has_its_extra_and_a_token_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SERVICES["deploy"]["build"] == {"context": ".", "target": "orchestrator", "args": {"EXTRAS": "serve"}}
    default = re.fullmatch(r"\$\{BRIGADE_TOKEN:-(.*)\}", SERVICES["orchestrator"]["environment"]["BRIGADE_TOKEN"])
    assert default
    monkeypatch.setenv("BRIGADE_TOKEN", default[1])
    assert find_token() == default[1]


def test_a_deploy_that_is_started_again_puts_no_older_routing_back() -> None:
    """Every `up` starts it, `--no-recreate` from an older image."""
    assert SERVICES["deploy"]["command"] == ["deploy", "--keep-newer"]


def test_the_forecast_service_has_its_extra_and_starts_only_when_asked_for() -> None:
    service = SERVICES["forecast-api"]
    args = {"COMPONENT": "forecast-api", "EXTRAS": "forecast-api"}
    assert service["build"] == {"context": ".", "target": "forecast-api", "args": args}
    assert args["EXTRAS"] in PROJECT["optional-dependencies"]
    assert service["profiles"] == ["forecast", "order-volume"]
    host, port = (service["command"][service["command"].index(name) + 1] for name in ("--host", "--port"))
    assert (host, int(port)) == ("0.0.0.0", DEFAULT_PORT)
    assert service["ports"] == [f"127.0.0.1:${{BRIGADE_FORECAST_PORT:-{port}}}:{port}"]
    assert {"AWS_ENDPOINT_URL", "DATABASE_URL"} <= set(service["environment"])
    assert 'ENTRYPOINT ["python", "-m", "services.forecast_api"]' in DOCKERFILE


def test_the_command_line_knows_where_it_is_and_how_to_ask_the_service() -> None:
    command_line, service = SERVICES["brigade"]["environment"], SERVICES["orchestrator"]["environment"]
    assert command_line[COMPOSED]
    assert command_line["BRIGADE_TOKEN"] == service["BRIGADE_TOKEN"]


def test_images_of_others_are_pinned() -> None:
    others = {service["image"] for service in SERVICES.values() if not service["image"].startswith("brigade-")}
    assert others == {"localstack/localstack:4.14.0", "postgres:17"}


def test_localstack_behaves_as_the_embedded_one() -> None:
    """But for its address and its folders, and for the DNS server, which stays inside the container."""
    embedded = localstack.settings(Home(Path("/nowhere")), "127.0.0.1:4566")
    own = {"PATH", "HOME", "LANG", "GATEWAY_LISTEN", "LOCALSTACK_HOST", "OVERRIDE_IN_DOCKER", "FILESYSTEM_ROOT"}
    own |= {"LOCALSTACK_VOLUME_DIR", "XDG_CACHE_HOME", "DNS_ADDRESS"}
    shared = {key: value for key, value in embedded.items() if key not in own}
    here = dict(SERVICES["localstack"]["environment"])
    assert here.pop("LOCALSTACK_HOST") == "localstack:4566"
    assert here == shared


def test_localstack_is_put_right_from_files_that_exist() -> None:
    mounts = [volume.split(":") for volume in SERVICES["localstack"]["volumes"] if volume.startswith("./")]
    assert {(Path(source).name, target) for source, target, _ in mounts} == {
        ("localstack_hook.py", "/etc/localstack/init/start.d/brigade.py"),
        ("localstack_main.py", "/etc/localstack/brigade/localstack_main.py"),
    }
    for source, _, mode in mounts:
        assert (ROOT / source).is_file()
        assert mode == "ro"


def test_every_stage_starts_from_the_same_python() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    made = {name for _, name in stages}
    assert len(stages) == len(re.findall("^FROM", DOCKERFILE, re.MULTILINE))
    assert {base for base, _ in stages} - made == {"python:3.13-slim"}


def test_the_images_keep_to_one_thread_as_workers_elsewhere_do() -> None:
    """So that sums come in one order, and the forecast is the same."""
    for name, value in ONE_THREAD.items():
        assert f"{name}={value}" in DOCKERFILE


def test_the_example_for_developing_mounts_the_source_into_each_of_ours() -> None:
    services = yaml.safe_load((ROOT / "compose.override.example.yml").read_text(encoding="utf-8"))["services"]
    ours = {name: service for name, service in SERVICES.items() if service["image"].startswith("brigade-")}
    assert set(services) == set(ours)
    for name, service in ours.items():
        code = "orchestrator" if service["image"].startswith("brigade-orchestrator:") else "services"
        assert services[name]["volumes"] == [f"./{part}:/app/{part}:ro" for part in ("contracts", code)]
