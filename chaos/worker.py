"""The composition root of a fixture worker: `python -m chaos.worker COMPONENT`, with CHAOS_FAULTS naming the faults' folder."""

import argparse
import asyncio
import logging
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from chaos.faults import Faults
from chaos.handlers import fallbacks, handlers
from chaos.hooks import Hooks, hook
from chaos.pipeline import MEAL
from contracts.component import Component
from contracts.pipelines import component_named
from services.runtime.__main__ import compose
from services.runtime.delivery import Delivery
from services.runtime.handlers import Handler
from services.runtime.settings import Settings, read_settings
from services.runtime.store import Worker
from services.runtime.telemetry import configure_logging


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos.worker", description="Run a fixture worker until SIGTERM.")
    parser.add_argument("component")
    component = component_named(parser.parse_args().component, (MEAL,))
    settings = read_settings()
    configure_logging(settings.log_level, component.name, component.versions[0], settings.worker_name)
    handler, fallback = handlers()[component.name], fallbacks().get(component.name)
    faults = Faults(Path(os.environ["CHAOS_FAULTS"]))
    asyncio.run(work(component, component.versions[0], handler, fallback, settings, faults))


async def work(
    component: Component,
    version: str,
    handler: Handler,
    fallback: Handler | None,
    settings: Settings,
    faults: Faults,
) -> None:
    """As the runtime's own, with points where faults may wait."""
    hooks = Hooks(component.name, faults)
    identity = Worker(settings.worker_name, settings.log_location, version, component.policy.lease)
    async with AsyncExitStack() as stack:
        worker = await compose(stack, component, hooks.around(handler), identity, settings, fallback)
        assert isinstance(worker.delivery, Delivery)
        worker.delivery = hook(worker.delivery, hooks)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stopping.set)
        await worker.run()
    logging.getLogger("brigade.worker").info("stopped")


if __name__ == "__main__":
    main()
