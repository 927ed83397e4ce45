"""Run by the Python of LocalStack's own environment: LocalStack with four things put right.

It binds every IPv4 interface whatever GATEWAY_LISTEN says. It builds its JSONPath parser anew for every path (25 ms each),
which makes state machines three times slower. And it overlooks a task token's answer that comes between sending the
message and setting up the heartbeat, so that the state waits until the heartbeat runs out. And it gives the tries of a
state one task token: the second try takes the first one's failure for its own, at the first heartbeat or even before.

In a container LocalStack starts itself, and `localstack_hook.py` does all but the first.

This is not a `sitecustomize.py`: some distributions have one that wins, and Python goes on when one fails.
"""

import functools
from typing import Any

# None of these is installed where this file is checked, only where it runs.
import jsonpath_ng  # type: ignore[import-not-found]
import jsonpath_ng.ext  # type: ignore[import-not-found]
from twisted.internet import endpoints  # type: ignore[import-not-found]


def listen_here_only() -> None:
    """Must come before LocalStack is imported, which takes this name over."""
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")


def parse_paths_once() -> None:
    """Must come before LocalStack's Step Functions are imported, which take these names over."""
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


def renew_tokens(callback_task: Any, left: Any) -> None:
    """Let each try of a state have its own task token, which nobody waits for after it: `left` says so to who answers it."""
    evaluate = callback_task._eval_execution

    def evaluate_with_a_new_token(self: Any, env: Any) -> None:
        context = env.states.context_object
        if "Task" not in context.context_object_data:
            evaluate(self, env)
            return
        endpoint = env.callback_pool_manager.add(context.update_task_token())
        try:
            evaluate(self, env)
        finally:
            endpoint.report(left())

    callback_task._eval_execution = evaluate_with_a_new_token


def mend_callbacks() -> None:
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (  # type: ignore[import-not-found]
        state_task_service_callback,
    )
    from localstack.services.stepfunctions.asl.eval.callback import callback  # type: ignore[import-not-found]

    heed_early_answers(callback.CallbackEndpoint)
    renew_tokens(state_task_service_callback.StateTaskServiceCallback, callback.CallbackConsumerLeft)


if __name__ == "__main__":
    listen_here_only()
    parse_paths_once()
    mend_callbacks()
    from localstack.runtime.main import main  # type: ignore[import-not-found]

    main()
