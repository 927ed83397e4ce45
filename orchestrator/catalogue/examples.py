"""One example of every message: a made-up run of one factory, one week and one batch. Pure, and the same every time.

Values come from `SAID` where it names them, else from the schema, so that a new message needs no example written by hand.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import StepKey, seal
from contracts.errors import PipelineError
from contracts.graph import WHOLE
from contracts.pipeline import Pipeline
from orchestrator.compatibility.schemas import REQUEST, Documents

Json = dict[str, Any]

RUN = "2026-11-25-choreographed-1a2b3c"
BUCKET = "s3://brigade-000000000000"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

SAID: Mapping[str, Any] = {
    "Batch.centres": ["harbour", "market-hall", "boathouse"],
    "Batch.key": "b1",
    "Batch.last": None,
    "DatasetRef.rows": 1248,
    "Factory.key": "A",
    "Factory.last": None,
    "Factory.regions": ["coast", "capital", "lakes"],
    "Factory.weekly_cap": 9500.0,
    "FactoryNetworkConfigured.factory": "A",
    "ForecastPublished.csv_uri": f"{BUCKET}/publisher/{RUN}/-/forecast.csv",
    "ForecastPublished.date": "2026-11-25",
    "ForecastPublished.page_uri": f"{BUCKET}/publisher/{RUN}/-/forecast.html",
    "ForecastPublished.rows": 96,
    "ForecastPublished.sha256": hashlib.sha256(b"forecast.csv").hexdigest(),
    "ForecastPublished.uri": f"{BUCKET}/publisher/{RUN}/-/forecast.parquet",
    "History.first_week": "2024-11-23",
    "History.last_week": "2026-11-14",
    "MenuWeek.key": "2026-11-28",
    "MenuWeek.last": None,
    "MenuWeek.recipes": ["Tomato basil spaghetti", "Mushroom tagliatelle", "Sausage rigatoni"],
    "MenuWeek.starts": "2026-11-28",
    "OrdersSimulated.draws": 1000,
    "RunPlanned.date": "2026-11-25",
    "RunPlanned.portions_per_order": 2.6,
    "RunPlanned.recipes_per_box": 3.2,
    "RunPlanned.weekday": "wednesday",
    "RunRequest.date": "2026-11-25",
    "RunRequest.pipeline": "order-simulation",
    "RunRequest.run_id": RUN,
    "RunRequest.versions": ["order-simulator=v1"],
}
"""By `Model.field`."""

_TEXTS = (RUN, "A", "2026-11-28", "v1", "1")
"""What a pattern may be satisfied with, beside a digest."""

_FORMATS = {"date": "2026-11-28", "date-time": "2026-11-25T12:00:00Z", "time": "12:00:00", "uri": BUCKET}


def examples(documents: Documents, pipelines: tuple[Pipeline, ...]) -> dict[str, Json]:
    """The sealed envelope of every message, by name, as JSON. A version that is sent inside of another has that one's.

    Raises PipelineError, naming the field, for one whose pattern nothing known satisfies.
    """
    items = _items(documents, pipelines)
    data = {name: _event(name, documents, items) for name in documents if "x-fills" not in documents[name]}
    inside = {name: document["x-inside"] for name, document in documents.items() if "x-inside" in document}
    for name, outer in inside.items():
        data[outer] = {**data[outer], name: data[name]}
    data.update({name: data[outer] for name, outer in inside.items()})
    for name, document in documents.items():
        if fills := document.get("x-fills"):
            data[name] = {field: _filled(fills[field], data) for field in document["properties"]}
    sent = {name: inside.get(name, name) for name in documents if name != REQUEST}
    return {name: _sealed(outer, data[outer], documents, items) for name, outer in sent.items()}


def _items(documents: Documents, pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """The Map key that each component of a Map works on, by component: the first of the plan's list."""
    found = {}
    for pipeline in pipelines:
        plan = _event(pipeline.graph.planner.event, documents, {})
        found.update({node.component: str(plan[node.over][0]["key"]) for node in pipeline.graph.nodes if node.over})
    return found


def _event(name: str, documents: Documents, items: Mapping[str, str]) -> Json:
    """The data of an event: all that its producer always gives."""
    document = documents[name]
    component = document["x-component"]
    made: Json = _value(document, _Place(document, f"{BUCKET}/{component}/{RUN}/{items.get(component, WHOLE)}"))
    return made


def _filled(fill: Json, data: Mapping[str, Json]) -> Any:
    """What the graph puts into a field of a command."""
    found = data[fill["message"]]
    if "entry-of" in fill:
        return found[fill["entry-of"]][0]
    return [found] if fill.get("many") else found


def _sealed(name: str, data: Json, documents: Documents, items: Mapping[str, str]) -> Json:
    component = documents[name]["x-component"]
    key = StepKey(run_id=RUN, component=component, item=items.get(component, WHOLE))
    body: Json = json.loads(seal(key, name, component, data, NOON, TRACE))
    return body


@dataclass(frozen=True)
class _Place:
    """Where in a message a value stands: the model and its field, and the field above. `folder` holds the step's files."""

    document: Json
    folder: str
    model: str = ""
    field: str = ""
    above: str = ""

    def at(self, model: str, field: str) -> "_Place":
        return replace(self, model=model, field=field, above=self.field)


def _value(schema: Json, place: _Place) -> Any:
    if "$ref" in schema:
        return _value(place.document["$defs"][schema["$ref"].rpartition("/")[2]], place)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], place)
    if schema.get("default") is not None:
        return schema["default"]
    kind = schema.get("type", "object")
    if kind == "object":
        return _object(schema, place)
    if kind == "array":
        return [_value(schema.get("items", {}), place) for _ in range(max(schema.get("minItems", 1), 1))]
    if kind in ("integer", "number"):
        return _number(schema)
    return True if kind == "boolean" else None if kind == "null" else _text(schema, place)


def _object(schema: Json, place: _Place) -> Json:
    model = schema.get("title", "")
    return {
        field: SAID[f"{model}.{field}"] if f"{model}.{field}" in SAID else _value(inner, place.at(model, field))
        for field, inner in schema.get("properties", {}).items()
        if field in schema.get("required", ())
    }


def _number(schema: Json) -> float:
    """One, or another number within the bounds."""
    above, below = _bound(schema, "exclusiveMinimum", -math.inf), _bound(schema, "exclusiveMaximum", math.inf)
    least, most = _bound(schema, "minimum", above), _bound(schema, "maximum", below)
    tried: tuple[float, ...] = (1, least, least + 1, most - 1, (least + most) / 2)
    return next(number for number in tried if least <= number <= most and above < number < below)


def _bound(schema: Json, keyword: str, default: float) -> float:
    bound: float = schema.get(keyword, default)
    return bound


def _text(schema: Json, place: _Place) -> str:
    uri = f"{place.folder}/{place.above or place.field}.parquet"
    if "pattern" in schema:
        texts = (*_TEXTS, hashlib.sha256(uri.encode()).hexdigest())
        found = next((text for text in texts if re.search(schema["pattern"], text)), None)
        if found is None:
            raise PipelineError(
                f"no example of {place.model}.{place.field} matches {schema['pattern']}: add one to SAID in {__name__}"
            )
        return found
    if "format" in schema:
        return _FORMATS.get(schema["format"], "")
    text = uri if place.field.endswith("uri") else place.field or "text"
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
