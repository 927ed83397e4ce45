"""contracts/asyncapi.yaml: valid by the published schema, true to the template, and its payloads are what is sent."""

import copy
import functools
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES, all_components
from orchestrator import asl, asyncapi, template
from orchestrator.asyncapi_bindings import Bindings
from orchestrator.catalogue.examples import examples
from orchestrator.compatibility import schemas
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, pipeline
from tests.unit.orchestrator.test_asl import BY_EVENING, TASTER

Json = dict[str, Any]
Path_ = tuple[str | int, ...]

PUBLISHED = Path(__file__).parents[2] / "support" / "asyncapi" / "3.0.0.json"
DOCUMENT = asyncapi.document(PIPELINES)
DOCUMENTS = schemas.documents(PIPELINES)
EXAMPLES = examples(DOCUMENTS, PIPELINES)
HOME = "https://brigade.test/contracts/"
NEWER = {"prefixItems", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties"} | {
    "minContains",
    "maxContains",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
}
"""Keywords of JSON Schema 2020-12 that draft 7, the base of AsyncAPI's Schema Object, does not know."""


@functools.cache
def published() -> Draft7Validator:
    return Draft7Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))


def nested(value: Any) -> Iterator[Json]:
    """Every object in a value, the value itself first."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nested(inner)


def inlined(document: Json) -> Json:
    """With the referred-to schemas in their places, so that they are looked at too."""
    found = copy.deepcopy(document)
    for message in found["components"]["messages"].values():
        own = message["payload"]["allOf"][1]["properties"]
        own["data"] = copy.deepcopy(DOCUMENTS[Path(own["data"]["$ref"]).stem])
    return found


def refusals(document: Json) -> list[str]:
    return [error.message for error in published().iter_errors(document)]


def test_the_published_schema_is_as_it_was_published() -> None:
    digest = hashlib.sha256(PUBLISHED.read_bytes()).hexdigest()
    assert digest in PUBLISHED.with_name("README.md").read_text(encoding="utf-8")


def test_it_is_valid_by_the_published_schema() -> None:
    assert refusals(inlined(DOCUMENT)) == []


def test_any_pipelines_are_valid() -> None:
    """Also one with a flagged component, and one that nothing is subscribed for."""
    for pipelines in ((pipeline(HOST, HERBS, BY_EVENING, CLOSER),), (pipeline(HOST, HERBS, TASTER),)):
        assert refusals(asyncapi.document(pipelines)) == []


def at(document: Json, path: Path_) -> Any:
    found: Any = document
    for key in path:
        found = found[key]
    return found


QUEUE = ("channels", "order-volume", "bindings", "sqs")
SUBSCRIBED = ("operations", "order-volume.subscribe.configurator", "bindings", "sns")
TOPIC = ("channels", "order-volume-events", "bindings", "sns")
PAYLOAD = ("components", "messages", "run-planned.v1", "payload")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("info", "version"), None),
        ((*QUEUE, "bindingVersion"), "9.9.9"),
        ((*QUEUE, "queue", "name"), None),
        ((*QUEUE, "queue", "visibilityTimeout"), 43_201),
        ((*QUEUE, "queue", "redrivePolicy", "maxReceiveCount"), "often"),
        ((*QUEUE, "queue", "policy", "statements", 0, "effect"), "Perhaps"),
        ((*QUEUE, "topic"), "order-volume-events"),
        ((*TOPIC, "name"), None),
        ((*TOPIC, "bindingVersion"), "0.2.0"),
        ((*SUBSCRIBED, "consumers", 0, "rawMessageDelivery"), None),
        ((*SUBSCRIBED, "consumers", 0, "filterPolicy", "type"), [1]),
        ((*SUBSCRIBED, "consumers"), []),
        (("operations", "order-volume.publish", "action"), "publish"),
        (("operations", "order-volume.publish", "channel"), None),
        (("components", "messages", "run-planned.v1", "sender"), "configurator"),
        ((*PAYLOAD, "allOf", 1, "properties", "type"), {"type": "text"}),
        ((*PAYLOAD, "allOf", 1, "properties", "data", "required"), "all"),
        (("components", "tags", "pickles", "name"), None),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else repr(value),
)
def test_a_document_with_a_mistake_is_refused(path: Path_, value: object) -> None:
    """None takes the field away."""
    document = inlined(DOCUMENT)
    holder = at(document, path[:-1])
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    assert refusals(document) != []


def test_the_schemas_say_nothing_that_asyncapi_does_not_know() -> None:
    assert {key for document in DOCUMENTS.values() for inner in nested(document) for key in inner} & NEWER == set()


def test_every_reference_leads_somewhere() -> None:
    for inner in nested(DOCUMENT):
        reference = inner.get("$ref", "#")
        if reference.startswith("#"):
            at(DOCUMENT, tuple(reference[2:].split("/")) if reference != "#" else ())
        else:
            assert (schemas.FOLDER.parent / reference).is_file(), reference


def resources(kind: str) -> dict[str, Json]:
    found = template.render(PIPELINES)["Resources"]
    return {name: each["Properties"] for name, each in found.items() if each["Type"] == kind}


def named(value: Json) -> str:
    return str(value["Fn::Sub"]).replace("${Prefix}", "brigade")


def test_queues_are_those_of_the_template() -> None:
    channels = {name: each for name, each in DOCUMENT["channels"].items() if "sqs" in each["bindings"]}
    bound = [each["bindings"]["sqs"] for each in channels.values()]
    shown = {queue["name"]: queue for each in bound for queue in (each["queue"], each["deadLetterQueue"])}
    rendered = {named(queue["QueueName"]): queue for queue in resources("AWS::SQS::Queue").values()}
    assert shown.keys() == rendered.keys()
    for name, queue in rendered.items():
        assert shown[name].get("visibilityTimeout") == queue.get("VisibilityTimeout")
        assert shown[name]["messageRetentionPeriod"] == queue["MessageRetentionPeriod"]
    for each in channels.values():
        binding = each["bindings"]["sqs"]
        assert each["address"].replace("{prefix}", "brigade") == binding["queue"]["name"]
        assert binding["queue"]["redrivePolicy"] == {
            "deadLetterQueue": {"name": binding["deadLetterQueue"]["name"]},
            "maxReceiveCount": template.BACKSTOP,
        }
        (statement,) = binding["queue"]["policy"]["statements"]
        assert statement["principal"] == "sns.amazonaws.com"


def test_the_topics_and_their_subscriptions_are_those_of_the_template() -> None:
    topics = {name: named(topic["TopicName"]) for name, topic in resources("AWS::SNS::Topic").items()}
    channels = [each for each in DOCUMENT["channels"].values() if "sns" in each["bindings"]]
    assert {each["bindings"]["sns"]["name"] for each in channels} == set(topics.values())
    assert {each["address"].replace("{prefix}", "brigade") for each in channels} == set(topics.values())
    queues = resources("AWS::SQS::Queue")
    rendered = {
        (topics[each["TopicArn"]["Ref"]], named(queues[each["Endpoint"]["Fn::GetAtt"][0]]["QueueName"])): (
            each["FilterPolicy"],
            True,
        )
        for each in resources("AWS::SNS::Subscription").values()
    }
    operations = [each["bindings"] for each in DOCUMENT["operations"].values() if "bindings" in each]
    consumers = [
        (each["sns"]["topic"]["name"], consumer) for each in operations for consumer in each["sns"]["consumers"]
    ]
    shown = {
        (topic, each["endpoint"]["name"]): (each["filterPolicy"], each["rawMessageDelivery"])
        for topic, each in consumers
    }
    assert shown == rendered
    assert [each["sqs"]["queues"] for each in operations] == [[{"name": queue}] for _, queue in shown]


def test_every_component_sends_what_it_gives_and_receives_what_it_takes() -> None:
    for component in all_components():
        for version in component.versions:
            queue = template.queue_name(component, version)
            operations = {
                kind: [Path(each["$ref"]).name for each in DOCUMENT["operations"][f"{queue}.{kind}"]["messages"]]
                for kind in ("command", "receive", "publish")
            }
            assert component.output.wire_type() in operations["publish"]
            assert operations["command"] == [component.input.wire_type()]
            policies = template.filter_policies(component, version, PIPELINES)
            events = sorted(event for policy in policies.values() for event in policy["type"])
            assert operations["receive"] == [component.input.wire_type(), *events]
            for giver in policies:
                channel = DOCUMENT["operations"][f"{queue}.subscribe.{giver}"]["channel"]["$ref"]
                assert DOCUMENT["channels"][Path(channel).name]["messages"].keys() <= {*events}
            owner = {"$ref": f"#/components/tags/{component.squad}"}
            assert DOCUMENT["channels"][queue]["tags"] == DOCUMENT["operations"][f"{queue}.receive"]["tags"] == [owner]


def payload(
    name: str,
    dialect: type[jsonschema.protocols.Validator],
    document: Json = DOCUMENT,
    documents: schemas.Documents = DOCUMENTS,
) -> jsonschema.protocols.Validator:
    contents = {"asyncapi.yaml": document} | {f"schemas/{other}.json": each for other, each in documents.items()}
    registry: Registry[Any] = Registry().with_resources(
        (HOME + file, Resource.from_contents(each, default_specification=DRAFT202012))
        for file, each in contents.items()
    )
    reference = {"$ref": f"{HOME}asyncapi.yaml#/components/messages/{name}/payload"}
    return dialect(reference, registry=registry, format_checker=dialect.FORMAT_CHECKER)


@pytest.mark.parametrize("dialect", [Draft7Validator, Draft202012Validator])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_sealed_message_fits_its_payload_and_no_other(
    name: str, dialect: type[jsonschema.protocols.Validator]
) -> None:
    assert [error.message for error in payload(name, dialect).iter_errors(EXAMPLES[name])] == []
    assert [other for other in EXAMPLES if payload(other, dialect).is_valid(EXAMPLES[name])] == [name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_message_that_lacks_something_does_not_fit(name: str) -> None:
    validator = payload(name, Draft202012Validator)
    for field in DOCUMENTS[name]["required"]:
        data = {key: value for key, value in EXAMPLES[name]["data"].items() if key != field}
        assert not validator.is_valid(EXAMPLES[name] | {"data": data}), field
    for attribute in DOCUMENT["components"]["schemas"]["envelope"]["required"]:
        assert not validator.is_valid({key: value for key, value in EXAMPLES[name].items() if key != attribute})


def test_commands_of_the_state_machine_have_what_the_envelope_asks_for() -> None:
    tasks = [each for built in PIPELINES for each in nested(asl.render(built)) if "MessageBody" in each]
    assert tasks
    wanted = set(DOCUMENT["components"]["schemas"]["envelope"]["required"])
    for task in tasks:
        assert wanted <= {key.removesuffix(".$") for key in task["MessageBody"]}
        headers = DOCUMENT["components"]["messages"][task["MessageBody"]["type"]]["headers"]["properties"]
        assert set(task["MessageAttributes"]) == set(headers)


def test_what_subscriptions_filter_on_are_headers_of_the_events() -> None:
    filtered = {key for each in resources("AWS::SNS::Subscription").values() for key in each["FilterPolicy"]}
    topics = [each for each in DOCUMENT["channels"].values() if "sns" in each["bindings"]]
    for name in (name for topic in topics for name in topic["messages"]):
        assert set(DOCUMENT["components"]["messages"][name]["headers"]["properties"]) == filtered


def with_a_second_version() -> dict[str, Json]:
    """order-volume gives a second version inside of the first, and the simulator takes it already."""
    documents = copy.deepcopy(DOCUMENTS)
    first, second = "order-volume-forecasted.v1", "order-volume-forecasted.v2"
    newer = copy.deepcopy(documents[first]) | {"x-inside": first, "title": "OrderVolumeForecastedV2"}
    newer["properties"]["unit"] = {"type": "string"}
    newer["required"].append("unit")
    command = documents["simulate-orders.v1"]
    command["x-fills"]["volume"]["message"] = second
    command["$defs"]["OrderVolumeForecasted"]["properties"]["unit"] = {"type": "string"}
    command["$defs"]["OrderVolumeForecasted"]["required"].append("unit")
    return documents | {second: newer}


def test_a_version_inside_of_another_is_part_of_its_message_and_of_the_commands_that_it_fills() -> None:
    documents = with_a_second_version()
    document = asyncapi.described(all_components(), documents, Bindings(template.render(PIPELINES)))
    assert refusals(document) == []
    assert document["channels"].keys() == DOCUMENT["channels"].keys()
    assert document["components"]["messages"].keys() == DOCUMENT["components"]["messages"].keys()
    assert document["operations"].keys() == DOCUMENT["operations"].keys()
    made = examples(documents, PIPELINES)
    assert made["order-volume-forecasted.v2"] == made["order-volume-forecasted.v1"]
    assert made["simulate-orders.v1"]["data"]["volume"] == made["order-volume-forecasted.v1"]["data"]
    for name in document["components"]["messages"]:
        validator = payload(name, Draft202012Validator, document, documents)
        assert [error.message for error in validator.iter_errors(made[name])] == []
    for name in ("order-volume-forecasted.v1", "simulate-orders.v1"):
        assert not payload(name, Draft202012Validator, document, documents).is_valid(EXAMPLES[name])


def test_the_text_is_the_document_without_anchors() -> None:
    text = asyncapi.text(PIPELINES)
    assert yaml.safe_load(text) == json.loads(json.dumps(DOCUMENT))
    assert not [token for token in yaml.scan(text) if isinstance(token, yaml.AnchorToken | yaml.AliasToken)]


def test_without_pyyaml_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadRequest, match="install brigade with its extra `contracts`"):
        asyncapi.text(PIPELINES)
