"""`python -m services.forecast_api`: the composition root. DATABASE_URL names its database; botocore's variables its S3.

`brigade forecast-api` starts it.
"""

import argparse
import logging
import os
import signal
import socket
import sys

import psycopg
import uvicorn

from contracts.errors import BadRequest, BrigadeError
from services.forecast_api.app import create_app
from services.forecast_api.jobs import Jobs
from services.forecast_api.store import make_tables, open_pool

PORT = 9298

HERE = ("127.0.0.1", "localhost")
"""Bound to one of them, it is called by no other name."""

WORKERS = 2
"""Jobs at once. A training takes one core."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Ends with 2 when it was asked wrongly, with 1 when it failed."""
    parser = argparse.ArgumentParser(prog="services.forecast_api", description="Serve Amazon Forecast's API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--workers", type=int, default=WORKERS)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    # uvicorn raises the signal again when all is done: the exit code is 0 then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(os.environ["DATABASE_URL"], asked.host, asked.port, asked.workers)
    except (BrigadeError, psycopg.Error, KeyError) as error:
        message = "DATABASE_URL is not set" if isinstance(error, KeyError) else str(error).strip()
        sys.stderr.write(f"error: {message}\n")
        return 2 if isinstance(error, BadRequest | KeyError) else 1
    return 0


def serve(database_url: str, host: str, port: int, workers: int) -> None:
    """Raises BadRequest when it cannot listen, or another service works on the database."""
    jobs = Jobs(database_url, workers)
    with listen(host, port) as listening, open_pool(database_url) as pool:
        with pool.connection() as connection:
            make_tables(connection)
        with jobs.going_on():
            config = uvicorn.Config(
                create_app(pool, jobs, HERE if host in HERE else ("*",)),
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=20,
            )
            uvicorn.Server(config).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """Before anything else is done. Raises BadRequest when it cannot be."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadRequest(f"cannot listen: {error.strerror}; choose another --port or --host") from error


if __name__ == "__main__":
    sys.exit(main())
