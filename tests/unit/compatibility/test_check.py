"""What a change of the real messages breaks, for whom, and how the command line says it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from polyfactory.factories.pydantic_factory import ModelFactory
from rich.console import Console
from typer.testing import CliRunner

from contracts.component import Component
from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION, PIPELINES, all_components
from contracts.resolve import assemble, resolve
from contracts.run import RunRequest
from orchestrator.cli import contracts as commands
from orchestrator.cli.app import app
from orchestrator.cli.session import WIDE
from orchestrator.compatibility import schemas
from orchestrator.compatibility.check import OUTSIDE, Break, as_reader, compare, failing
from orchestrator.compatibility.status import status

VOLUME = "order-volume-forecasted.v1"
NOW = schemas.documents(PIPELINES)
Json = dict[str, Any]


def changed() -> dict[str, Json]:
    return copy.deepcopy(NOW)


def views(documents: dict[str, Json], model: str) -> list[Json]:
    """A model wherever it is written down: in the event itself, and in what its consumers take."""
    found = [document for document in documents.values() if document.get("title") == model]
    return found + [d["$defs"][model] for d in documents.values() if model in d.get("$defs", {})]


def without(model: str, field: str) -> dict[str, Json]:
    documents = changed()
    for view in views(documents, model):
        del view["properties"][field]
        if field in view["required"]:
            view["required"].remove(field)
    return documents


def with_field(model: str, field: str, schema: Json) -> dict[str, Json]:
    """Producers always write it; a default lets readers do without."""
    documents = changed()
    for view in views(documents, model):
        view["properties"][field] = schema
        if "default" not in schema or (view.get("title") == model and "x-component" in view):
            view["required"].append(field)
    return documents


def breaks(new: dict[str, Json], old: dict[str, Json] = NOW) -> list[Break]:
    return [each for change in compare(old, new) for each in change.breaks]


def test_the_committed_schemas_are_those_of_the_models() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in schemas.FOLDER.iterdir()}
    if found != schemas.texts(PIPELINES):
        pytest.fail(f"{schemas.FOLDER} is not what the models say: run `make render` and commit what it wrote")


@pytest.mark.parametrize("name", NOW)
def test_a_committed_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(NOW[name])


def test_only_what_changed_is_written_and_what_is_gone_removed(tmp_path: Path) -> None:
    assert {path.name for path in schemas.write(PIPELINES, tmp_path / "schemas")} == set(schemas.texts(PIPELINES))
    assert schemas.write(PIPELINES, tmp_path / "schemas") == []
    (tmp_path / "schemas" / "gone.v1.json").write_text("{}", encoding="utf-8")
    assert [path.name for path in schemas.write(PIPELINES, tmp_path / "schemas")] == ["gone.v1.json"]
    assert not (tmp_path / "schemas" / "gone.v1.json").exists()


@pytest.mark.parametrize("component", all_components(), ids=lambda component: component.name)
def test_what_a_producer_may_write_is_what_its_schema_says(component: Component) -> None:
    validator = Draft202012Validator(NOW[component.output.wire_type()])
    factory = ModelFactory.create_factory(component.output, __random_seed__=3, __allow_none_optionals__=True)
    for _ in range(50):
        validator.validate(factory.build().model_dump(mode="json"))


@pytest.mark.parametrize("component", all_components(), ids=lambda component: component.name)
def test_readers_outside_see_an_event_as_its_model_reads_it(component: Component) -> None:
    """Nobody's command says what they take, so their view is made from what is given."""
    read = component.output.model_json_schema(mode="validation")
    given = as_reader(NOW[component.output.wire_type()])
    assert {key: given[key] for key in read} == read


@pytest.mark.parametrize("node", ORDER_SIMULATION.graph.nodes[1:], ids=lambda node: node.component)
def test_every_consumer_reads_what_the_producers_may_write(node: Any) -> None:
    """Assembled as for a run, from messages generated from the producers' models."""
    graph = ORDER_SIMULATION.graph
    outputs = {c.name: c.output for c in all_components()}
    command = next(c.input for c in all_components() if c.name == node.component)
    plans = ModelFactory.create_factory(outputs[graph.planner.component], __random_seed__=5)
    for number in range(20):
        plan = plans.build().model_dump(mode="json")
        for field in ("weeks", "factories", "batches"):
            for place, item in enumerate(plan[field]):
                item["key"] = f"{field}-{place}"
        request = RunRequest(run_id=f"run-{number}", pipeline=graph.pipeline, date=plan["date"])
        answers = {f"{graph.planner.component}/-": plan}
        for step in resolve(graph, request, plan):
            factory = ModelFactory.create_factory(outputs[step.component], __random_seed__=number)
            answers[step.key] = factory.build().model_dump(mode="json")
        for step in resolve(graph, request, plan):
            if step.component == node.component:
                command.model_validate(assemble(graph, node, step.item, request, answers))


def test_nothing_breaks_when_nothing_changed() -> None:
    assert compare(NOW, changed()) == ()


def test_a_removed_field_breaks_the_consumers_that_are_not_deployed_yet() -> None:
    assert breaks(without("OrderVolumeForecasted", "volume")) == [
        Break(
            message=VOLUME,
            direction="forward",
            path="volume",
            kind="missing",
            what="is needed and not given",
            consumers=("harbour (network-configuration)", "dice (order-simulator)"),
        )
    ]


def test_a_field_with_a_default_may_be_added_and_removed() -> None:
    more = with_field("OrderVolumeForecasted", "note", {"type": "string", "default": ""})
    assert [change.message for change in compare(NOW, more)] == ["configure-network.v1", VOLUME, "simulate-orders.v1"]
    assert breaks(more) == breaks(NOW, more) == []


def test_a_required_field_breaks_on_old_messages() -> None:
    found = breaks(with_field("OrderVolumeForecasted", "note", {"type": "string"}))
    assert [(each.message, each.direction, each.path) for each in found] == [(VOLUME, "backward", "note")]


def test_an_entry_of_the_plan_is_the_plan_s_to_break() -> None:
    found = breaks(without("Factory", "weekly_cap"))
    assert [(each.message, each.direction, each.path) for each in found] == [
        ("run-planned.v1", "forward", "factories[].weekly_cap")
    ]
    assert "harbour (network-configuration)" in found[0].consumers


def test_a_changed_pattern_is_seen() -> None:
    documents = changed()
    for view in views(documents, "DatasetRef"):
        view["properties"]["sha256"]["pattern"] = "^[0-9a-f]{40}$"
    found = [each for each in breaks(documents) if each.message == VOLUME]
    assert {(each.direction, each.path, each.kind) for each in found} == {
        ("backward", "volume.sha256", "pattern"),
        ("forward", "volume.sha256", "pattern"),
    }


def test_what_is_announced_has_readers_that_nobody_here_knows() -> None:
    found = breaks(without("ForecastPublished", "csv_uri"))
    assert [(each.direction, each.path, each.consumers) for each in found] == [("forward", "csv_uri", (OUTSIDE,))]
    assert breaks(with_field("ForecastPublished", "note", {"type": "string", "default": ""})) == []


def test_where_the_two_opinions_differ_the_check_says_no() -> None:
    documents = changed()
    documents["run-planned.v1"]["properties"]["seed"]["allOf"] = [{"maximum": 5}]
    found = breaks(documents)
    assert [(each.message, each.direction, each.kind) for each in found] == [("run-planned.v1", "forward", "unknown")]
    assert "jsoncompat" in found[0].what


def test_a_keyword_that_the_walk_does_not_know_is_no_assurance() -> None:
    documents = changed()
    documents["simulate-orders.v1"]["$defs"]["OrderVolumeForecasted"]["dependentRequired"] = {"volume": ["more"]}
    found = [(each.message, each.direction, each.kind) for each in breaks(documents)]
    assert found == [(VOLUME, "backward", "unknown")]


def test_a_list_that_is_mapped_over_must_stay() -> None:
    documents = changed()
    del documents["run-planned.v1"]["properties"]["weeks"]
    documents["run-planned.v1"]["required"].remove("weeks")
    assert {(each.path, each.kind) for each in breaks(documents)} >= {("weeks", "missing")}


def test_a_command_under_way_must_still_fit() -> None:
    """Fields of a command come from the graph: one more is missing in the commands of runs under way."""
    documents = changed()
    fewer = changed()
    del fewer["simulate-orders.v1"]["x-fills"]["popularity"]
    del fewer["simulate-orders.v1"]["properties"]["popularity"]
    fewer["simulate-orders.v1"]["required"].remove("popularity")
    found = breaks(documents, fewer)
    assert [(each.message, each.direction, each.path) for each in found] == [
        ("simulate-orders.v1", "backward", "popularity")
    ]
    assert [each.direction for each in breaks(fewer, documents)] == ["forward"]


def second_version() -> dict[str, Json]:
    """The volume's second version in the place of the first, read by everybody as of now."""
    documents = {name.replace(VOLUME, "order-volume-forecasted.v2"): each for name, each in changed().items()}
    for document in documents.values():
        for fill in document.get("x-fills", {}).values():
            fill["message"] = fill["message"].replace(VOLUME, "order-volume-forecasted.v2")
    return documents


def test_a_version_that_goes_is_told_and_excused_by_the_next() -> None:
    changes = compare(NOW, second_version())
    gone = next(change for change in changes if change.message == VOLUME)
    assert (gone.how, [each.kind for each in gone.breaks]) == ("removed", ["version"])
    assert gone.breaks[0].replaced_by == "order-volume-forecasted.v2"
    assert not failing(changes)


def test_a_message_that_goes_without_a_next_version_is_a_break() -> None:
    documents = changed()
    del documents[VOLUME]
    assert [each.path for each in failing(compare(NOW, documents))] == [""]


def test_a_version_can_go_when_nobody_takes_it_and_nobody_deployed_did() -> None:
    after = second_version()
    both = {**after, VOLUME: NOW[VOLUME]}
    verdicts = {each.message: each.verdict for each in status(NOW, both)}
    assert verdicts[VOLUME] == "kept for harbour (network-configuration), dice (order-simulator)"
    assert {each.message: each.verdict for each in status(both, both)}[VOLUME] == "can go"
    assert {each.verdict for each in status(NOW, NOW)} == {"current"}


def told(monkeypatch: pytest.MonkeyPatch, old: dict[str, Json], *arguments: str) -> tuple[int, str]:
    """Tables so wide that no name is cut, whatever COLUMNS says: a worker of xdist has 80."""
    monkeypatch.setattr(commands, "documents_of", lambda revision: old)
    monkeypatch.setattr(commands, "out", Console(width=WIDE))
    result = CliRunner().invoke(app, ["contracts", *arguments, "--against", "then"])
    return result.exit_code, result.output


def test_the_check_ends_with_1_and_names_field_direction_and_squads(monkeypatch: pytest.MonkeyPatch) -> None:
    old = with_field("OrderVolumeForecasted", "unit", {"type": "string"})
    code, text = told(monkeypatch, old, "check", "--json")
    answer = json.loads(text)
    assert (code, answer["against"], answer["compatible"]) == (1, "then", False)
    change = next(each for each in answer["changes"] if each["message"] == VOLUME)
    assert (change["backward"], change["forward"]) == (True, False)
    assert change["breaks"][0]["path"] == "unit"
    code, text = told(monkeypatch, old, "check")
    line = "forward: unit is needed and not given [missing]; breaks old readers of new messages: "
    assert code == 1
    assert f"{line}harbour (network-configuration), dice (order-simulator)" in " ".join(text.split())


def test_the_check_ends_with_0_when_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, without("SiteForecasted", "totals"), "check")[0] == 0
    code, text = told(monkeypatch, NOW, "check", "--json")
    assert (code, json.loads(text)) == (0, {"against": "then", "compatible": True, "changes": []})


def test_the_status_names_who_gives_and_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = told(monkeypatch, NOW, "status", "--json")
    volume = next(each for each in json.loads(text) if each["message"] == VOLUME)
    assert (code, volume["giver"], volume["squad"], volume["may_go"]) == (0, "order-volume", "pickles", False)
    assert VOLUME in told(monkeypatch, NOW, "status")[1]


def test_the_status_of_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = told(monkeypatch, NOW, "status", "order-volume-forecasted", "--json")
    assert (code, [each["message"] for each in json.loads(text)]) == (0, [VOLUME])
    result = CliRunner().invoke(app, ["contracts", "status", "orders", "--against", "then"])
    assert isinstance(result.exception, BadRequest)
    assert str(result.exception).startswith("no component gives an event orders: there is dataset-group-created, ")
