"""Every component's policy as a table for people."""

from contracts.component import Nested, Policy
from contracts.pipeline import Pipeline, Sequence
from orchestrator.policies import policies
from tests.unit.contracts.kitchen import HERBS, HOST


def rows(*pipelines: Pipeline) -> list[list[str]]:
    table = [line for line in policies(pipelines).splitlines() if line.startswith("| ")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table if "component" in line or "test" in line
    ]


def test_a_component_of_two_pipelines_has_one_row() -> None:
    both = (Pipeline("a", Sequence((HOST, HERBS))), Pipeline("b", Sequence((HOST, HERBS))))
    assert [row[0] for row in rows(*both)] == ["component", "host", "herbs"]


def test_a_version_that_is_a_run_has_a_row_of_its_own_with_the_run_s_time() -> None:
    patient = HERBS.model_copy(
        update={
            "versions": ("v1", "dried"),
            "policy": Policy(timeout=77),
            "nested": (Nested(version="dried", pipeline="b", timeout=5000),),
        }
    )
    found = {row[0]: row[1:] for row in rows(Pipeline("a", Sequence((HOST, patient))))}
    assert list(found) == ["component", "host", "herbs", "herbs dried, a run of b"]
    own, nested = found["herbs"], found["herbs dried, a run of b"]
    assert (own[1], nested[1]) == ("77", "5000")
    assert [*own[:1], *own[2:]] == [*nested[:1], *nested[2:]]
