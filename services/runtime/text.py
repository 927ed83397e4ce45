"""Text that every service takes."""

import os
import re

from contracts.redaction import redacted, secrets_of

_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""SQS takes none of them in a body or an attribute (API reference, SendMessage), PostgreSQL no NUL."""


def cut(text: str, longest: int) -> str:
    """The text, at most so many characters of it."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def printable(text: str) -> str:
    """The text for others to read: without secrets, and with a replacement for characters that services refuse."""
    return _REFUSED.sub("\ufffd", redacted(text, secrets_of(os.environ)))
