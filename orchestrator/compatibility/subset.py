"""The second opinion: whether all that one schema allows is allowed by another, asked of jsoncompat.

It knows keywords and combinations that the walk does not, and ignores `pattern` and `format`, which the walk does not.
"""

import importlib.util
import json
from typing import Any

from contracts.errors import BadRequest

Json = dict[str, Any]


def refusal(writer: Json, reader: Json) -> str | None:
    """Why the reader does not take all that the writer may give, or None when it does.

    Raises BadRequest when jsoncompat is not installed.
    """
    if importlib.util.find_spec("jsoncompat") is None:
        raise BadRequest("the check needs jsoncompat: install brigade with its extra `contracts`")
    import jsoncompat  # of an extra: the other commands do without

    try:
        fits = jsoncompat.check_compat(json.dumps(closed(writer)), json.dumps(opened(reader)), "deserializer")
    except ValueError as error:
        return f"jsoncompat cannot tell: {error}"
    return None if fits else "jsoncompat finds messages that are not taken"


def closed(schema: Any) -> Any:
    """A writer gives no field that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        key: value if key in ("enum", "const", "default") else closed(value) for key, value in bare(schema).items()
    }
    if schema.get("type") == "object" and "properties" in schema:
        inner.setdefault("additionalProperties", False)
    return inner


def opened(schema: Any) -> Any:
    """A reader's variants are told apart by a field of theirs; that no second one fits too is more than jsoncompat sees."""
    if isinstance(schema, list):
        return [opened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {"anyOf" if key == "oneOf" else key: opened(value) for key, value in bare(schema).items()}


def bare(schema: Json) -> Json:
    """Without our own keywords."""
    return {key: value for key, value in schema.items() if not key.startswith("x-")}
