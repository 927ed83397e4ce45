"""Names of resources as AWS forms them. An ARN is given by the service and never made from a name by its users."""

import secrets
import time
from dataclasses import dataclass

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Caller:
    """Whose resources a request sees: those of one account in one region."""

    account: str
    region: str

    def arn(self, kind: str, *names: str) -> str:
        return f"arn:aws:forecast:{self.region}:{self.account}:{kind}/{'/'.join(names)}"


def own_name(arn: str) -> str:
    """What follows the kind."""
    return arn.split(":", 5)[5].partition("/")[2]


def suffix() -> str:
    """26 characters that no other resource has, later ones sorting behind earlier ones: a ULID."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[value >> 5 * place & 31] for place in reversed(range(26)))
