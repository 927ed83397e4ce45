"""AWS JSON 1.1 over HTTP: `POST /` with the operation in X-Amz-Target (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).

The signature is not verified: it says whose resources are meant, not who asks.
"""

import json
import math
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from services.forecast_api.arns import Caller
from services.forecast_api.errors import ApiError, InvalidInput, Malformed
from services.forecast_api.shapes import Operation

CONTENT_TYPE = "application/x-amz-json-1.1"

LONGEST_BODY = 1024 * 1024
"""Bytes."""

DEEPEST = 40
"""Levels of lists and objects, several times what any request has."""

ACCOUNT, REGION = "000000000000", "us-east-1"
"""Of requests whose signature names none."""

_CREDENTIAL = re.compile(r"Credential=([^/,\s]{1,128})/\d{8}/([a-z0-9-]{1,32})/")


def caller_of(authorization: str) -> Caller:
    """By the signature's scope. A twelve-digit access key is the account's number, as LocalStack has it."""
    found = _CREDENTIAL.search(authorization)
    if not found:
        return Caller(ACCOUNT, REGION)
    key, region = found.groups()
    return Caller(key if re.fullmatch(r"\d{12}", key, re.ASCII) else ACCOUNT, region)


def read_request(body: bytes) -> dict[str, Any]:
    """Raises Malformed when the body is no JSON object of strings that UTF-8 can carry."""
    try:
        request = json.loads(body or b"{}", parse_constant=_refuse, object_pairs_hook=_given)
        json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Malformed("the body is no JSON object in UTF-8") from error
    if not isinstance(request, dict) or _depth(request) > DEEPEST:
        raise Malformed("the body is no JSON object, or one that is too deep")
    return request


def answer(found: Mapping[str, Any]) -> Response:
    return _response(json.dumps(found, default=_plain, allow_nan=False), 200)


def refusal(error: ApiError, operation: Operation | None = None) -> Response:
    """In the type that the operation documents; `ValidationException` is documented for all of them."""
    code = error.code
    if isinstance(error, InvalidInput) and operation is not None and code not in operation.errors:
        code = "ValidationException"
    return _response(json.dumps({"__type": code, "message": str(error)}), error.status)


def _response(body: str, status: int) -> Response:
    return Response(body, status, {"x-amzn-RequestId": str(uuid.uuid4())}, CONTENT_TYPE)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be answered")


def _given(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member that is null is one that is left out."""
    return {name: value for name, value in members if value is not None}


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= DEEPEST:
        deepest += 1
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for values in inner for each in values]
    return deepest


def finite(value: float) -> float | None:
    """JSON has no NaN: what nobody knows is left out."""
    return value if math.isfinite(value) else None
