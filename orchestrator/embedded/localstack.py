"""LocalStack as a process on a free port of the loopback interface. Its data is lost when it stops."""

import os
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path

from orchestrator.embedded.environment import prepare_localstack
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import NotReady, ProcessRecord, start_process, wait_until_ready

NAME = "localstack"
MAIN = Path(__file__).with_name("localstack_main.py")


def start_localstack(home: Home) -> ProcessRecord:
    """Start LocalStack, which is not ready yet: see `wait_for_localstack`. Makes its environment first when it is missing."""
    environment = prepare_localstack()
    shutil.rmtree(home.localstack)  # What a killed one left behind. It restores nothing from there.
    home.localstack.mkdir()
    address = f"127.0.0.1:{free_port()}"
    # Isolated, so that the folder of this file, which has a `localstack.py` of its own, is not searched.
    argv = (str(environment / "bin" / "python"), "-I", "-u", str(MAIN))
    return start_process(home, NAME, argv, settings(home, address), url=f"http://{address}")


def wait_for_localstack(record: ProcessRecord) -> None:
    """Raises StackFailed."""
    wait_until_ready(record, lambda: probe(f"{record.url}/_localstack/health"))


def settings(home: Home, address: str) -> dict[str, str]:
    """LocalStack's whole environment. Nothing of the user's AWS settings gets in."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home.localstack),
        "LANG": "C.UTF-8",
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        # Everything it writes goes below this folder, which it takes only when it does not believe to be in a container.
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(home.localstack / "files"),
        "LOCALSTACK_VOLUME_DIR": str(home.localstack / "volume"),
        "XDG_CACHE_HOME": str(home.localstack / "cache"),
        "SQS_ENDPOINT_STRATEGY": "path",
        # It would listen for DNS on every interface, write metrics to itself for every SQS message, and call its maker.
        "DNS_ADDRESS": "0",
        "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "LS_LOG": "warning",
    }


def probe(url: str) -> None:
    """Raises NotReady until the page answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=5).close()
    except (urllib.error.URLError, OSError) as error:
        raise NotReady(str(error)) from error


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
