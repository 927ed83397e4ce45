"""Errors that say whether trying again can help. The class name is the error name Step Functions sees."""

from typing import ClassVar


class BrigadeError(Exception):
    """Base of all errors Brigade raises on purpose. The message says what happened and what to do next."""

    retryable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return type(self).__name__


class TransientError(BrigadeError):
    """Something outside failed that may work in a moment: a throttled call, a dropped connection."""

    retryable = True


class ResourcePending(BrigadeError):
    """A resource that was asked for is not ready yet. Polled with a limit of its own."""

    retryable = True


class ResourceFailed(BrigadeError):
    """A resource that was asked for could not be made. The reason is its service's own."""


class ResourceLate(BrigadeError):
    """A resource was not ready within the time that a step may wait for it inside of one attempt."""


class UnexpectedError(BrigadeError):
    """A handler raised something that is no BrigadeError. Tried again, since nobody knows better."""

    retryable = True


class HandlerTimedOut(BrigadeError):
    """A handler ran longer than its component's timeout."""

    retryable = True


class WorkerLost(BrigadeError):
    """A worker stopped renewing its lease: killed, crashed or cut off."""

    retryable = True


class PoisonMessage(BrigadeError):
    """A message that cannot be understood, whoever receives it: goes to the dead-letter queue at first receipt."""


class ContractViolation(BrigadeError):
    """An input or an output does not fit its contract."""


class MessageTooLarge(BrigadeError):
    """A message over 64 KiB. Large data travels as a DatasetRef."""


class DataGone(BrigadeError):
    """A file that a message refers to is not there any more."""


class NothingToRead(BrigadeError):
    """A component whose clock has started it finds no result of what it takes, of this run or an earlier one."""


class PipelineError(BrigadeError):
    """A pipeline that cannot work, found when it is built."""


class BadRequest(BrigadeError):
    """A run, a command or a file somebody asked for that cannot be served."""


class BadData(BrigadeError):
    """The loaded data does not allow what was asked: no history, no menu, caps too small."""
