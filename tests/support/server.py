"""An application on a port of this machine, served from this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Gives its URL."""
    config = uvicorn.Config(app, port=0, log_config=None)
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    listening.listen()  # who comes before the server is ready waits
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
