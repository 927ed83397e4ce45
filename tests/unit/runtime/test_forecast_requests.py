"""What is asked of Amazon Forecast, and what its resources are called, against AWS's service model."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecast_api.shapes import find_operation
from services.runtime.forecast_requests import KINDS, filter_of, request_of
from services.runtime.resources import (
    LONGEST_NAME,
    RELATED,
    Dataset,
    DatasetGroup,
    DatasetImport,
    Export,
    Forecast,
    Predictor,
    Resource,
    resource_name,
)

ROLE = "arn:aws:iam::123456789012:role/forecast"
ARN = "arn:aws:forecast:us-east-1:123456789012:"
NAME = resource_name("volume", "2026-11-25-orchestrated-1a2b3c", "A")


@pytest.mark.parametrize(
    "wanted",
    [
        DatasetGroup(NAME),
        Dataset(NAME, RELATED, {"item_id": "string", "timestamp": "timestamp", "price": "float", "promoted": "float"}),
        DatasetImport(NAME, f"{ARN}dataset/orders", lambda: "s3://bucket/orders.csv"),
        Predictor(NAME, f"{ARN}dataset-group/g", (f"{ARN}dataset/orders", f"{ARN}dataset/offers"), 5),
        Forecast(NAME, f"{ARN}predictor/volume_01ARYZ6S41TSV4RRFFQ69G5FAV", lambda: "s3://bucket/regions.csv"),
        Export(NAME, f"{ARN}forecast/A", "s3://bucket/volume-export/run/-/exported-A/"),
    ],
)
def test_requests_fit_the_service_model_to_the_pattern(wanted: Resource) -> None:
    """boto3 itself checks what is required only; AWS, and `brigade forecast-api`, look at enumerations and patterns too."""
    kind = KINDS[type(wanted)]
    operation = find_operation("AmazonForecast." + kind.creating.title().replace("_", ""))
    operation.check({f"{kind.member}Name": wanted.name, **request_of(wanted, ROLE)})
    if filters := filter_of(wanted):
        find_operation(f"AmazonForecast.List{kind.member}s").check(filters)


PARTS = st.lists(st.text(max_size=80), max_size=3)


@given(PARTS, PARTS)
def test_names_fit_and_are_of_their_parts_alone(one: list[str], other: list[str]) -> None:
    name = resource_name("volume", *one)
    assert re.fullmatch("[a-zA-Z][a-zA-Z0-9_]*", name)
    assert len(name) <= LONGEST_NAME
    assert (name == resource_name("volume", *other)) == (one == other)


def test_a_name_can_be_read() -> None:
    name = resource_name("orders", "2026-11-25-orchestrated-1a2b3c")
    assert re.fullmatch("orders_2026_11_25_orchestrated_1a2b3c_[0-9a-f]{12}", name)
