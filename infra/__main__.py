"""`python -m infra`: write the CloudFormation templates of all stacks, without asking AWS anything."""

import sys

from pydantic import ValidationError

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES
from infra.node import provide_node
from infra.settings import read_settings


def main(arguments: list[str] | None = None) -> int:
    """Ends with 0, with 1 when cdk-nag objects, and with 2 when it was asked wrongly, also by a component."""
    try:
        settings = read_settings(arguments)
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            place = ".".join(str(part) for part in problem["loc"]) or "settings"
            print(f"error: {place}: {problem['msg']}", file=sys.stderr)
        return 2
    provide_node()
    from infra.app import ChecksFailed, synthesise  # it starts Node, and takes seconds to import

    try:
        templates = synthesise(settings, PIPELINES)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, ChecksFailed) else 2
    for template in templates:
        print(template)
    return 0


if __name__ == "__main__":
    sys.exit(main())
