"""A request's body as the operations get it."""

import pytest

from services.forecast_api.errors import Malformed
from services.forecast_api.protocol import read_request


def test_a_member_that_is_null_is_one_that_is_left_out() -> None:
    assert read_request(b'{"DatasetArns": null, "Tags": [{"Key": "a", "Value": null}]}') == {"Tags": [{"Key": "a"}]}


@pytest.mark.parametrize("body", [b"null", b"[]", b"{", b'{"a": NaN}', b'{"a": "\\ud800"}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_request(body)
