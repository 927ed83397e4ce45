"""The kinds of faults a run may be given, and drawing them."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from chaos.api import Rule
from chaos.faults import Deed, Fault, Point
from chaos.fleet import PLACES
from chaos.pipeline import COOK, MEAL, PLANNER, SAUCIER, SERVER, SOMMELIER
from chaos.stage import Stage
from contracts.component import Component

POISON = "poison message"


@dataclass(frozen=True)
class Injected:
    """A fault that is there. `happened` says whether it has hit anything; `undo` ends it."""

    happened: Callable[[], bool]
    undo: Callable[[], None]


Inject = Callable[[Stage, Random, str], Injected]
"""Given how the run's id begins."""


@dataclass(frozen=True)
class Kind:
    """`seconds` is how long a fault of the surroundings lasts, drawn in between; one of a step waits for it. Of the
    surroundings only one is there at a time, since it hits every run under way.
    """

    name: str
    inject: Inject
    seconds: tuple[float, float] | None = None


def kinds() -> tuple[Kind, ...]:
    required = (PLANNER, COOK, SAUCIER, SERVER)
    everyone = MEAL.components
    return (
        Kind("nothing else", lambda *_: Injected(lambda: True, lambda: None)),
        Kind("handler raises transiently", _at("handling", "raise-transient", everyone, most=2)),
        Kind("handler raises permanently", _at("handling", "raise-permanent", required)),
        Kind("optional handler raises permanently", _at("handling", "raise-permanent", (SOMMELIER,))),
        Kind("handler hangs", _at("handling", "hang", everyone)),
        Kind("kill -9 before the claim", _at("received", "kill", everyone)),
        Kind("kill -9 before the handler", _at("claimed", "kill", everyone)),
        Kind("kill -9 in the handler", _at("handling", "kill", everyone)),
        Kind("kill -9 before the commit", _at("handled", "kill", everyone)),
        Kind("kill -9 between commit and answer", _at("committed", "kill", everyone)),
        Kind("kill -9 between answer and delete", _at("answered", "kill", everyone)),
        Kind("SIGTERM", _sigterm),
        Kind(POISON, _poison),
        Kind("database down", _database_down, (4, 10)),
        Kind("database slow", _database_slow, (4, 8)),
        Kind("connection dropped at COMMIT", _dropped_at_commit, (3, 5)),
        Kind("S3 throttled", partial(_calls, make=_s3_throttled), (4, 8)),
        Kind("SNS and Step Functions throttled", partial(_calls, make=_throttled), (4, 8)),
        Kind("answers lost on their way", partial(_calls, make=_answers_lost), (4, 8)),
        Kind("network cut", _network_cut, (6, 15)),
    )


def draw(random: Random, runs: int) -> list[Kind]:
    """Each kind as often as any other, but for the remainder, in an order of its own."""
    known = kinds()
    drawn = [known[number % len(known)] for number in range(runs)]
    random.shuffle(drawn)
    return drawn


def _at(point: Point, deed: Deed, components: tuple[Component, ...], most: int = 1) -> Inject:
    def inject(stage: Stage, random: Random, run: str) -> Injected:
        fault = Fault(point, deed, random.choice(components).name, run=run)
        stage.faults.plant(fault, times=random.randint(1, most))
        return Injected(lambda: fault in stage.faults.taken(), lambda: None)

    return inject


def _sigterm(stage: Stage, random: Random, _: str) -> Injected:
    place = random.choice(PLACES)
    stage.fleet.signal(place, signal.SIGTERM)
    return Injected(lambda: True, lambda: None)


def _poison(stage: Stage, random: Random, run: str) -> Injected:
    component = random.choice(MEAL.components)
    body = random.choice((run, json.dumps({"poison": run}), json.dumps({"deep": run, "list": [[[[1]]]]})))
    url = stage.deployment.queue_url(component, component.versions[0])
    stage.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    return Injected(lambda: True, lambda: None)


def _database_down(stage: Stage, *_: object) -> Injected:
    stage.database.refuse()
    return Injected(lambda: True, stage.database.restore)


def _database_slow(stage: Stage, random: Random, _: str) -> Injected:
    stage.database.slow(random.uniform(0.2, 1.0))
    return Injected(lambda: True, stage.database.restore)


def _dropped_at_commit(stage: Stage, random: Random, _: str) -> Injected:
    trap = stage.database.trap(b"COMMIT", seen_by_server=random.random() < 0.5)
    return Injected(lambda: trap.sprung, stage.database.restore)


def _network_cut(stage: Stage, *_: object) -> Injected:
    stage.network.hold()
    return Injected(lambda: True, stage.network.restore)


def _s3_throttled() -> tuple[Rule, ...]:
    return (Rule("s3", share=0.6),)


def _throttled() -> tuple[Rule, ...]:
    return Rule("sns", share=0.6), Rule("states", share=0.6, status=400, code="ThrottlingException")


def _answers_lost() -> tuple[Rule, ...]:
    return Rule("sns", share=0.6, lose_answer=True), Rule("states", "SendTaskSuccess", share=0.6, lose_answer=True)


def _calls(stage: Stage, _: Random, __: str, make: Callable[[], tuple[Rule, ...]]) -> Injected:
    made = [stage.api.refuse(rule) for rule in make()]
    return Injected(lambda: any(rule.applied for rule in made), lambda: stage.api.allow(made))
