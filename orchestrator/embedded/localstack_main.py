"""Run by the Python of LocalStack's own environment: LocalStack with three things put right.

It binds every IPv4 interface whatever GATEWAY_LISTEN says. It builds its JSONPath parser anew for every path (25 ms each),
which makes state machines three times slower. And it overlooks a task token's answer that comes between sending the
message and setting up the heartbeat, so that the state waits until the heartbeat runs out.

This is not a `sitecustomize.py`: some distributions have one that wins, and Python goes on when one fails.
"""

import functools
from typing import Any

# None of these is installed where this file is checked, only where it runs.
import jsonpath_ng  # type: ignore[import-not-found]
import jsonpath_ng.ext  # type: ignore[import-not-found]
from twisted.internet import endpoints  # type: ignore[import-not-found]


def put_right() -> None:
    """Must come before LocalStack is imported, which takes these names over."""
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
    for module in (jsonpath_ng, jsonpath_ng.ext):
        module.parse = functools.lru_cache(4096)(module.parse)


def heed_early_answers(callback_endpoint: Any) -> None:
    """Let the heartbeat's wait begin by looking whether the answer is there already."""
    set_up = callback_endpoint.setup_heartbeat_endpoint

    def set_up_and_look(self: Any, heartbeat_seconds: int) -> Any:
        heartbeat = set_up(self, heartbeat_seconds)
        if self.get_outcome() is not None:
            heartbeat.notify()
        return heartbeat

    callback_endpoint.setup_heartbeat_endpoint = set_up_and_look


if __name__ == "__main__":
    put_right()
    from localstack.runtime.main import main  # type: ignore[import-not-found]
    from localstack.services.stepfunctions.asl.eval.callback.callback import (  # type: ignore[import-not-found]
        CallbackEndpoint,
    )

    heed_early_answers(CallbackEndpoint)
    main()
