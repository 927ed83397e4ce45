"""What the API answers instead of a result. `code` is the name AWS's service model gives it, and boto3's exception."""

from typing import ClassVar

from contracts.errors import BadData, BrigadeError


class ApiError(BrigadeError):
    """Base of what is answered with an error type. `status` is of HTTP."""

    code: ClassVar[str]
    status: ClassVar[int] = 400


class InvalidInput(ApiError):
    """The request does not fit the service model, or contradicts what is there."""

    code = "InvalidInputException"


class InvalidNextToken(ApiError):
    """A token that no page of this list gave."""

    code = "InvalidNextTokenException"


class NotFound(ApiError):
    """No resource has this ARN."""

    code = "ResourceNotFoundException"


class AlreadyExists(ApiError):
    """A resource of this kind has the name."""

    code = "ResourceAlreadyExistsException"


class InUse(ApiError):
    """The resource is being made, changed or used by another."""

    code = "ResourceInUseException"


class LimitExceeded(ApiError):
    """A quota is used up."""

    code = "LimitExceededException"


class Unserved(ApiError):
    """An operation that AWS has, and this service has not; or that nobody has."""

    code = "UnknownOperationException"


class Malformed(ApiError):
    """A body that is no JSON object."""

    code = "SerializationException"


class Unavailable(ApiError):
    """The database does not answer. boto3 tries again."""

    code = "ServiceUnavailableException"
    status = 503
    retryable = True


class InternalFailure(ApiError):
    """A mistake of the service's own. Its log says which."""

    code = "InternalFailure"
    status = 500
    retryable = True


class JobFailed(BadData):
    """A job cannot end well. The message becomes the resource's, for whoever describes it."""
