"""What opens a door is not shown."""

import pytest

from contracts.redaction import redacted, secrets_of

PASSWORD = "Tr0ub4dor&3 cellar"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no way to postgresql://me:hunter2@db/x?y=1", "no way to postgresql://me:***@db/x?y=1"),
        ("postgresql://me:a/b@c@db/x", "postgresql://me:***@db/x"),
        ("postgresql://:hunter2@db", "postgresql://:***@db"),
        ("host=db user=me password=hunter2 dbname=x", "host=db user=me password=*** dbname=x"),
        ("host=db password='two words' dbname=x", "host=db password=*** dbname=x"),
        ('{"taskToken": "AAAA/b=", "output": 1}', '{"taskToken": ***, "output": 1}'),
        ("aws_secret_access_key = abc/def+g", "aws_secret_access_key = ***"),
        ("http://127.0.0.1:4566/x is away; write to me@example.org", None),
        ("the password is wrong: try again", None),
        ("handled in 0.012 s", None),
    ],
)
def test_secrets_are_known_by_their_place(text: str, shown: str | None) -> None:
    assert redacted(text) == (text if shown is None else shown)


def test_a_process_s_own_secrets_are_known_wherever_they_stand() -> None:
    environment = {
        "DATABASE_URL": "postgresql://me:Tr0ub4dor%263%20cellar@db/x",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "AWS_SESSION_TOKEN": "test",
        "HOME": "/home/somebody",
    }
    secrets = secrets_of(environment)
    assert secrets == ("Tr0ub4dor%263%20cellar", PASSWORD, "wJalrXUtnFEMI")
    assert redacted(f"with {PASSWORD} and wJalrXUtnFEMI, a test", secrets) == "with *** and ***, a test"


def test_a_url_may_be_wrong_or_without_a_password() -> None:
    assert secrets_of({"DATABASE_URL": "postgresql://[me:hunter22222@db"}) == ("hunter22222",)
    assert secrets_of({"DATABASE_URL": "postgresql://postgres@/postgres?host=/var/tmp"}) == ()
    assert secrets_of({}) == ()


def test_the_headers_for_a_collector_are_secrets() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=0123456789, Authorization=Basic%20bWU6aHVudGVyMg==",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=short,y=another-secret,broken",
    }
    secrets = secrets_of(environment)
    assert secrets == ("0123456789", "Basic%20bWU6aHVudGVyMg==", "bWU6aHVudGVyMg==", "another-secret")
    assert redacted("Basic bWU6aHVudGVyMg== 0123456789", secrets) == "Basic *** ***"
