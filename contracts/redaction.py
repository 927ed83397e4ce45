"""What must not be read in a log line, a cause or a reason: passwords, keys and whatever else opens a door. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "***"

SHORTEST = 8
"""Characters of a secret that is looked for by itself: a shorter one would be found in innocent words."""

_IN_A_URL = re.compile(r"(?<=://)([^\s/@:'\"]*):[^\s'\"]+@")
_PASSWORD = re.compile(r"://[^\s/@:]*:(\S+)@")
_QUOTED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NAMES = ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "BRIGADE_TOKEN")
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_NAMED = re.compile(
    r"(?i)((?:password|passwd|pgpassword|secret_?access_?key|session_?token|task_?token)['\"]?\s*[=:]\s*)"
    r"('[^']*'|\"[^\"]*\"|[^\s'\",;&}]+)"
)


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets among a process's variables, as they are and as they stand in URLs."""
    password = _password_of(environment.get("DATABASE_URL", ""))
    named = (environment.get(name, "") for name in _NAMES)
    headers = (word for name in _HEADERS for word in _words_of(environment.get(name, "")))
    found = (password, _plain(password), *named, *headers)
    return tuple(dict.fromkeys(secret for secret in found if len(secret) >= SHORTEST))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, without passwords in URLs and without what is called a password, key or token."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    if "@" in text:
        text = _IN_A_URL.sub(rf"\1:{HIDDEN}@", text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def _password_of(url: str) -> str:
    found = _PASSWORD.search(url)
    return found[1] if found else ""


def _words_of(headers: str) -> Iterator[str]:
    """The values of `name=value,name=value`, as OpenTelemetry writes headers, and each word of them: `Basic%20abc`."""
    for pair in headers.split(","):
        value = pair.partition("=")[2].strip()
        yield value
        yield from _plain(value).split()


def _plain(text: str) -> str:
    """As it was before it was quoted for a URL."""
    return _QUOTED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text)
