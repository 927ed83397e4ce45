"""What docs/deployment.md says that it costs: the sums, and how many there are of what is paid for."""

import re
import tomllib
from collections.abc import Iterator

import pytest

from contracts.pipelines import all_components
from infra.tasks import UNITS
from orchestrator.render import CHECKOUT
from tests.infra.templates import Template

SECTION = re.compile(r"^### What it costs\n(.*?)^### ", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| ([^|*]+) \| ([^|]*) \| ([0-9.x+/() ]+) \| ([0-9.]+) \|$", re.MULTILINE)
TOTAL = re.compile(r"^\| \*\*together[^|]*\| *\| *\| \*\*([0-9.]+)\*\* \|$", re.MULTILINE)
DEPLOYMENT = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8")


def section() -> str:
    (found,) = SECTION.findall(DEPLOYMENT)
    return str(found)


def tables() -> Iterator[tuple[list[tuple[str, ...]], float]]:
    """The rows of each table with a total, and the total."""
    before = 0
    for total in TOTAL.finditer(section()):
        yield ROW.findall(section(), before, total.start()), float(total[1])
        before = total.end()


ROWS = [row for rows, _ in tables() for row in rows]


def worked_out(arithmetic: str) -> float:
    return float(eval(arithmetic.replace("x", "*"), {"__builtins__": {}}))  # ROW lets nothing but numbers in


@pytest.mark.parametrize(("what", "arithmetic", "dollars"), [(what, sums, dollars) for what, _, sums, dollars in ROWS])
def test_the_arithmetic_is_right(what: str, arithmetic: str, dollars: str) -> None:
    assert f"{worked_out(arithmetic):.2f}" == dollars, what


def test_totals_are_sums() -> None:
    together = 0.0
    for rows, total in tables():
        together += sum(float(dollars) for *_, dollars in rows)
        assert together == pytest.approx(total, abs=0.001)
    assert len(ROWS) == 17


def test_prices_are_those_of_the_comparison() -> None:
    """One page has each price, and both are of one day."""
    known = tomllib.loads((CHECKOUT / "orchestrator" / "compare" / "aws.toml").read_text(encoding="utf-8"))["prices"]
    assert f"In {known['region']}, at AWS's list prices of {known['as_of']}" in section()
    dollars = {item["name"]: item["dollars"] for item in known["items"]}
    for name in ("sqs-request", "sns-request", "states-transition", "s3-write", "s3-read", "logs-gb"):
        assert re.search(rf"(?<![0-9.]){dollars[name]:g}0?(?![0-9.])", section()), name


def arithmetic_of(what: str) -> str:
    (found,) = {sums for name, _, sums, _ in ROWS if name == what and "30400" not in sums}
    return found


def test_what_is_paid_for_is_what_the_templates_make(compute: Template) -> None:
    """Idle: each service has one task, but versions that are needed seldom have none."""
    sizes = {
        definition["Family"]: (int(definition["Cpu"]) / UNITS, int(definition["Memory"]) / 1024)
        for definition in compute.of("AWS::ECS::TaskDefinition").values()
    }
    by_provider: dict[str, list[tuple[float, float]]] = {}
    for service in compute.of("AWS::ECS::Service").values():
        (strategy,) = service["CapacityProviderStrategy"]
        size = [sizes[service["ServiceName"]]] * service["DesiredCount"]
        by_provider.setdefault(strategy["CapacityProvider"], []).extend(size)
    for provider, row in (("FARGATE", "Fargate"), ("FARGATE_SPOT", "Fargate Spot")):
        cpus, gigabytes = (sum(each) for each in zip(*by_provider[provider], strict=True))
        assert re.match(rf"\({cpus:g} x [0-9.]+ \+ {gigabytes:g} x ", arithmetic_of(row)), (row, cpus, gigabytes)
    running = sum(len(sizes) for sizes in by_provider.values())
    services, queues = len(compute.of("AWS::ECS::Service")), sum(len(c.versions) for c in all_components())
    alarms = compute.of("AWS::CloudWatch::Alarm")
    policies = len(compute.of("AWS::ApplicationAutoScaling::ScalingPolicy"))
    assert arithmetic_of("Container Insights") == f"(8 + 11 x {services} + 6 x {running}) x 0.30"
    assert arithmetic_of("alarms") == f"({2 * queues} + {len(alarms) - 2 * queues} x 2 + {policies} x 2 x 3) x 0.10"
    assert arithmetic_of("dashboards") == f"{len(compute.of('AWS::CloudWatch::Dashboard'))} x 3"
    assert arithmetic_of("SQS").startswith(f"{running - 1} x 3 x 60 x 730 ")
    assert arithmetic_of("secrets, images").startswith(f"{len(compute.of('AWS::SecretsManager::Secret'))} x ")
    (database,) = compute.of("AWS::RDS::DBInstance").values()
    assert f"| {database['DBInstanceClass']}, {database['AllocatedStorage']} GB |" in section()
