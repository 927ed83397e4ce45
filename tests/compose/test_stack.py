"""docker-compose.yml on a real engine, from a fresh clone: healthy, small, and both styles."""

import os
import re
import subprocess
import sys
import urllib.error

import pytest

from contracts.pipelines import ORDER_SIMULATION, workers
from orchestrator.template import queue_name
from tests.compose.project import BASE, ROOT, STYLES, Project, docker, size_of, until

WORKERS = [queue_name(component, version) for component, version in workers((ORDER_SIMULATION,))]
MOST = 300.0
"""MB that an image may add to the base; order-volume brings models of forecasts, which take more."""


def test_every_service_is_healthy_and_the_deployment_has_ended_well(project: Project) -> None:
    healthy = dict.fromkeys((*WORKERS, "localstack", "db", "orchestrator"), ("running", "healthy", 0))
    states = project.states()
    assert states.pop("deploy") == ("exited", "", 0)
    assert states == healthy


def test_images_are_small_and_run_as_nobody(project: Project) -> None:
    base = size_of(BASE)
    images = project.images()
    assert len(images) == len(ORDER_SIMULATION.components) + 1
    added = {image.partition(":")[0]: size_of(image) - base for image in images}
    print(*(f"\n{image}: {size:.0f} MB beyond the base" for image, size in added.items()))
    assert {image for image, size in added.items() if size > MOST} <= {"brigade-order-volume"}
    assert {user for image in images for user in docker("image", "inspect", "-f", "{{.Config.User}}", image)} == {
        "10001:10001"
    }


def test_an_image_holds_its_own_service_only(project: Project) -> None:
    found = project.compose("exec", "-T", "site-forecast", "ls", "/app", "/app/services")
    assert set(found.split()) == {"/app:", "contracts", "services", "/app/services:"} | {
        *("__init__.py", "__pycache__", "models", "runtime", "site_forecast")
    }


def test_the_service_starts_one_run_for_one_key(project: Project) -> None:
    """From the host, through the published port."""
    wanted = {"pipeline": "order-simulation", "date": "2026-11-25", "style": "choreographed"}
    key = {"Idempotency-Key": "tuesday-1"}
    (first, run), (second, same) = (project.ask("/runs", wanted, **key) for _ in range(2))
    assert (first, second, run["run_id"]) == (201, 200, same["run_id"])
    until(lambda: project.ask(f"/runs/{run['run_id']}")[1]["status"] == "SUCCEEDED", seconds=120, every=1)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        project.ask("/runs", wanted, **key, Authorization="Bearer of-somebody-else-entirely")


def test_both_styles_publish_what_make_demo_publishes(project: Project) -> None:
    outcomes = [project.run(style) for style in STYLES]
    for outcome in outcomes:
        print(f"\n{outcome['style']}: {outcome['status']} in {outcome['seconds']:.1f} s")
    demo = subprocess.run(
        [sys.executable, "-m", "orchestrator.demo"],
        cwd=ROOT,
        env={**os.environ, "BRIGADE_HOME": f"/var/tmp/{project.name}"},
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    published = set(re.findall(r"SHA-256 ([0-9a-f]{64})", demo.stdout))
    assert len(published) == 1
    assert {outcome["published"]["sha256"] for outcome in outcomes} == published
