"""The composition root of a measured worker: `python -m chaos.compare.worker SUBJECT COMPONENT VERSION`."""

import argparse
import asyncio
import os
from pathlib import Path

from chaos.compare.subject import load
from chaos.faults import Faults
from chaos.worker import work
from services.runtime.settings import read_settings
from services.runtime.telemetry import configure_logging


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos.compare.worker", description="Run a measured worker until SIGTERM.")
    parser.add_argument("subject", help="the module that has it")
    parser.add_argument("component")
    parser.add_argument("version")
    asked = parser.parse_args()
    subject = load(asked.subject)
    component = subject.component(asked.component)
    settings, faults = read_settings(), Faults(Path(os.environ["CHAOS_FAULTS"]))
    configure_logging(settings.log_level, component.name, asked.version, settings.worker_name)
    handler, fallback = subject.handler(component, asked.version), subject.fallback(component)
    asyncio.run(work(component, asked.version, handler, fallback, settings, faults))


if __name__ == "__main__":
    main()
