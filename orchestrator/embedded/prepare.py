"""`python -m orchestrator.embedded.prepare`: make LocalStack's environment now, so that the first `up` is quick."""

import sys

from contracts.errors import BrigadeError
from orchestrator.embedded.environment import prepare_localstack


def main() -> int:
    """Print the environment's folder, or one error; gives the exit code."""
    try:
        folder = prepare_localstack()
    except BrigadeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
