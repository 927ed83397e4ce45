"""The token that opens a service: the same for who serves and who asks."""

import os
from pathlib import Path

from contracts.errors import BadRequest

SHORTEST = 16
"""Characters."""


def find_token() -> str | None:
    """BRIGADE_TOKEN, else what is in the file that BRIGADE_TOKEN_FILE names. Raises BadRequest when that is no good token."""
    token, file = os.environ.get("BRIGADE_TOKEN"), os.environ.get("BRIGADE_TOKEN_FILE")
    if not token and not file:
        return None
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadRequest(f"BRIGADE_TOKEN_FILE cannot be read: {error}") from error
        os.environ["BRIGADE_TOKEN"] = token  # known as a secret from here on, and kept out of what is written
    assert token is not None
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise BadRequest(
            f"the token has less than {SHORTEST} characters, or other ones than ASCII's without spaces: take another one, "
            "as `openssl rand -hex 32` makes them"
        )
    return token
