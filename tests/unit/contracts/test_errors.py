"""The class name of an error is what Step Functions, retries and history know it by."""

import contracts.errors
from contracts.component import Policy
from contracts.errors import BrigadeError


def all_errors() -> list[type[BrigadeError]]:
    found = [value for value in vars(contracts.errors).values() if isinstance(value, type)]
    return [cls for cls in found if issubclass(cls, BrigadeError) and cls is not BrigadeError]


def test_names_are_class_names() -> None:
    for cls in all_errors():
        assert cls("because").name == cls.__name__
        assert str(cls("because")) == "because"


def test_which_can_be_tried_again() -> None:
    assert {cls.__name__ for cls in all_errors() if cls.retryable} == {
        "TransientError",
        "ResourcePending",
        "UnexpectedError",
        "HandlerTimedOut",
        "WorkerLost",
    }


def test_every_policy_limits_exactly_those() -> None:
    """An error that says it can be tried again, without a limit, would not be; nor the other way round."""
    for cls in all_errors():
        assert (Policy().limit_for(cls.__name__) is not None) == cls.retryable
