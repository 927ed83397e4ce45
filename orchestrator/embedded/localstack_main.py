"""Run by the Python of LocalStack's own environment: LocalStack with two things put right.

It binds every IPv4 interface whatever GATEWAY_LISTEN says, and builds its JSONPath parser anew for every path (25 ms each),
which makes state machines three times slower. This is not a `sitecustomize.py`: some distributions have one that wins, and
Python goes on when one fails.
"""

import functools

# None of these is installed where this file is checked, only where it runs.
import jsonpath_ng  # type: ignore[import-not-found]
import jsonpath_ng.ext  # type: ignore[import-not-found]
from twisted.internet import endpoints  # type: ignore[import-not-found]


def put_right() -> None:
    """Must come before LocalStack is imported, which takes these names over."""
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
    for module in (jsonpath_ng, jsonpath_ng.ext):
        module.parse = functools.lru_cache(4096)(module.parse)


if __name__ == "__main__":
    put_right()
    from localstack.runtime.main import main  # type: ignore[import-not-found]

    main()
