"""A small pipeline to break things in: a plan, a Map, two branches one of which has a fallback, and a join that publishes."""

from functools import partial

from contracts.component import Component, Limit, Policy, names
from contracts.errors import HandlerTimedOut, ResourcePending, TransientError, UnexpectedError, WorkerLost
from contracts.message import Command, DatasetRef, Event, Item, Plan
from contracts.pipeline import Map, Parallel, Pipeline, Sequence
from contracts.run import RunRequest

POLICY = Policy(
    timeout=5,
    heartbeat=11,
    lease=5,
    limits=(
        Limit(
            errors=names(TransientError, UnexpectedError, HandlerTimedOut, WorkerLost),
            attempts=5,
            backoff_rate=1,
            jitter=False,
        ),
        Limit(errors=names(ResourcePending), attempts=5, backoff_rate=1, jitter=False),
    ),
    io_longest_wait=1.0,
)

DEADLINE = 90
"""Seconds a run may take."""

COURSES = ("soup", "fish", "tart")

MEALS = "CREATE TABLE IF NOT EXISTS chaos_meals (run_id text NOT NULL, sha256 text NOT NULL)"
"""What is published. It has no key on purpose: a row that is written twice is there twice."""


class Course(Item):
    weight: int


class PlanMeal(Command):
    request: RunRequest


class MealPlanned(Plan):
    courses: tuple[Course, ...]


class CookCourse(Command):
    plan: MealPlanned
    course: Course


class CourseCooked(Event):
    """`portions` is a table with the column portion (int64)."""

    key: str
    portions: DatasetRef


class MixSauce(Command):
    cooked: tuple[CourseCooked, ...]


class SauceMixed(Event):
    portions: int


class PairWine(Command):
    plan: MealPlanned


class WinePaired(Event):
    bottle: str


class ServeMeal(Command):
    plan: MealPlanned
    cooked: tuple[CourseCooked, ...]
    sauce: SauceMixed
    wine: WinePaired


class MealServed(Event):
    """`sha256` is of the content of everything that was served: no run id, style or attempt is in it."""

    sha256: str


_component = partial(Component, squad="chaos", policy=POLICY, concurrency=4)

PLANNER = _component(name="chaos-planner", input=PlanMeal, output=MealPlanned)
COOK = _component(name="chaos-cook", input=CookCourse, output=CourseCooked)
SAUCIER = _component(name="chaos-saucier", input=MixSauce, output=SauceMixed)
SOMMELIER = _component(name="chaos-sommelier", input=PairWine, output=WinePaired, fallback=True)
SERVER = _component(name="chaos-server", input=ServeMeal, output=MealServed, announced=True)

MEAL = Pipeline(
    name="chaos-meal",
    deadline=DEADLINE,
    flow=Sequence((PLANNER, Map((COOK,), over="plan.courses"), Parallel((SAUCIER, SOMMELIER)), SERVER)),
)
