"""The fixture workers as processes: started, killed, stopped, and started again."""

import contextlib
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

from chaos.faults import Faults
from chaos.pipeline import MEAL
from contracts.component import Component
from contracts.pipelines import component_named
from orchestrator.database import Connection
from orchestrator.deploy import Deployment
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import ProcessRecord, is_alive, start_process, stop_processes, wait_until_ready
from orchestrator.embedded.stack import Endpoints
from orchestrator.fleet import reports, worker_environment

PLACES = tuple(f"{component.name}/1" for component in MEAL.components)
"""One worker of each component."""


@dataclass
class Fleet:
    """Workers by place, `component/number`. `endpoints` are those that workers see."""

    home: Home
    connection: Connection
    endpoints: Endpoints
    deployment: Deployment
    faults: Faults
    running: dict[str, ProcessRecord] = field(default_factory=dict)
    started: int = 0

    def start(self, *places: str, extra: dict[str, str] | None = None) -> None:
        """Start a worker at each place, with `extra` environment variables, and wait until all report.

        Raises StackFailed.
        """
        for place in places:
            self._start(place, extra or {})
        for place in places:
            wait_until_ready(self.running[place], reports(self.connection, self.running[place].pid))

    def kill(self, *places: str) -> None:
        """SIGKILL, all at once."""
        for place in places:
            self.signal(place, signal.SIGKILL)

    def signal(self, place: str, number: signal.Signals) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self.running[place].pid).send_signal(number)

    def dead(self) -> list[str]:
        """The places whose worker has ended by itself or by a fault."""
        return [place for place, record in self.running.items() if not is_alive(record)]

    def replace_dead(self) -> list[str]:
        """Start a worker in the place of each that is dead, as a scheduler of containers does. Waits for none."""
        dead = self.dead()
        for place in dead:
            self._start(place, {})
        return dead

    def stop(self, places: Iterable[str] | None = None) -> None:
        """SIGTERM, and wait until they have ended."""
        chosen = list(self.running) if places is None else list(places)
        stop_processes([self.running.pop(place) for place in chosen], grace=40)

    def _start(self, place: str, extra: dict[str, str]) -> None:
        self.started += 1
        component = component_of(place)
        name = f"{place.replace('/', '-')}-{self.started}"
        environment = worker_environment(self.endpoints, self.deployment, component, component.versions[0])
        environment |= {
            "BRIGADE_WORKER_NAME": name,
            "BRIGADE_LOG_LOCATION": str(self.home.logs / f"{name}.log"),
            "BRIGADE_POLL_SECONDS": "1",
            "CHAOS_FAULTS": str(self.faults.folder),
        }
        argv = (sys.executable, "-m", "chaos.worker", component.name)
        self.running[place] = start_process(self.home, name, argv, environment | extra)


def component_of(place: str) -> Component:
    return component_named(place.partition("/")[0], (MEAL,))
