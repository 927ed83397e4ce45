"""The images' Python is newer than the host's, where `make test` runs: the unit tests pass on it too."""

import subprocess

from tests.compose.project import Project, docker


def test_unit_and_contract_tests_pass_on_the_python_of_the_images(project: Project) -> None:
    """Without a network: these tests need none."""
    image = f"unit-{project.environment['BRIGADE_TAG']}"  # none of the project's
    build = ["docker", "build", "--quiet", "--tag", image, "--file", "tests/compose/unit.Dockerfile", "."]
    subprocess.run(build, cwd=project.folder, check=True, capture_output=True)
    try:
        version = docker("run", "--rm", "--entrypoint", "python", image, "--version")[0]
        tests = docker("run", "--rm", "--network", "none", image, "-n", "2", "tests/unit", "tests/contracts")
    finally:
        docker("image", "rm", image)
    assert version.startswith("Python 3.13.")
    print(f"\n{version}: {tests[-1]}")
