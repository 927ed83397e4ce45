"""The evaluator itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.infra.policies import NotUnderstood, Request, allowed, matches

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/own/*"}
READ = Request("s3:GetObject", "arn:aws:s3:::b/own/x")


def test_nothing_is_allowed_without_a_statement_that_allows_it() -> None:
    assert not allowed([], READ)
    assert allowed([ALLOW], READ)
    assert not allowed([ALLOW], Request("s3:GetObject", "arn:aws:s3:::b/other/own/x"))
    assert not allowed([ALLOW], Request("s3:PutObject", READ.resource))


def test_an_action_has_no_case_and_a_resource_has() -> None:
    assert allowed([ALLOW], Request("S3:getobject", READ.resource))
    assert not allowed([ALLOW], Request("s3:GetObject", READ.resource.upper()))


def test_a_denial_goes_before() -> None:
    assert not allowed([ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "*"}], READ)
    assert allowed([ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "arn:aws:s3:::c/*"}], READ)


def test_a_condition_must_hold() -> None:
    only_plain = {**ALLOW, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    for secure, expected in (("true", True), ("false", False)):
        request = Request(READ.action, READ.resource, (("aws:SecureTransport", secure),))
        assert allowed([ALLOW, only_plain], request) is expected
    by_topic = {**ALLOW, "Condition": {"ArnEquals": {"aws:SourceArn": ["arn:aws:sns:*:*:mine"]}}}
    assert not allowed([by_topic], READ)
    assert allowed([by_topic], Request(READ.action, READ.resource, (("aws:SourceArn", "arn:aws:sns:e:1:mine"),)))


@pytest.mark.parametrize("more", [{"NotAction": "s3:*"}, {"NotResource": "*"}, {"Condition": {"DateLessThan": {}}}])
def test_what_it_does_not_know_is_not_passed_over(more: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        allowed([{**ALLOW, **more}], READ)


@given(st.text(alphabet="ab/:*?", max_size=6), st.text(alphabet="ab/:", max_size=8))
def test_a_pattern_matches_as_wildcards_do(pattern: str, value: str) -> None:
    """Against the textbook recursion."""

    def match(p: str, v: str) -> bool:
        if not p:
            return not v
        if p[0] == "*":
            return match(p[1:], v) or (v != "" and match(p, v[1:]))
        return v != "" and p[0] in ("?", v[0]) and match(p[1:], v[1:])

    assert matches(pattern, value) == match(pattern, value)
