"""Run by LocalStack itself while it starts, from `/etc/localstack/init/start.d`: puts right what `localstack_main.py` does.

LocalStack reads this file and executes it, in its own process, before it loads any service. Should it fail, LocalStack
starts all the same and tells of it at `/_localstack/init`, where the health check of its container looks.
"""

import sys

if "localstack.services.stepfunctions" in sys.modules:
    raise RuntimeError("Step Functions are loaded already: how paths are parsed cannot be changed any more")
sys.path.insert(0, "/etc/localstack/brigade")
import localstack_main  # type: ignore[import-not-found]  # there, in the container

localstack_main.parse_paths_once()
localstack_main.mend_callbacks()
