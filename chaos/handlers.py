"""The plain functions of the fixture pipeline. What they give depends on the run's seed alone."""

import hashlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from chaos.pipeline import (
    COOK,
    COURSES,
    PLANNER,
    SAUCIER,
    SERVER,
    SOMMELIER,
    CookCourse,
    Course,
    CourseCooked,
    MealPlanned,
    MealServed,
    MixSauce,
    PairWine,
    PlanMeal,
    SauceMixed,
    ServeMeal,
    WinePaired,
)
from contracts.message import DatasetRef, Event
from services.runtime.context import Context

Handle = Callable[[Any, Context], Event]


def plan_meal(inputs: PlanMeal, ctx: Context) -> MealPlanned:
    ctx.heartbeat()
    seed = inputs.request.seed
    return MealPlanned(courses=tuple(Course(key=key, weight=seed * 10 + n) for n, key in enumerate(COURSES)))


def cook_course(inputs: CookCourse, ctx: Context) -> CourseCooked:
    ctx.heartbeat()
    digest = hashlib.sha256(f"{inputs.course.key}:{inputs.course.weight}".encode()).digest()
    table = pa.table({"portion": pa.array(list(digest), pa.int64())})
    return CourseCooked(key=inputs.course.key, portions=_write(ctx, table))


def mix_sauce(inputs: MixSauce, ctx: Context) -> SauceMixed:
    ctx.heartbeat()
    return SauceMixed(portions=sum(sum(_read(ctx, course.portions)) for course in inputs.cooked))


def pair_wine(inputs: PairWine, ctx: Context) -> WinePaired:
    ctx.heartbeat()
    return WinePaired(bottle=f"bottle {sum(course.weight for course in inputs.plan.courses)}")


def pour_water(inputs: PairWine, ctx: Context) -> WinePaired:
    """The fallback of `pair_wine`."""
    return WinePaired(bottle="water", degraded=ctx.replaced("water"))


def serve_meal(inputs: ServeMeal, ctx: Context) -> MealServed:
    ctx.heartbeat()
    digest = hashlib.sha256(f"{inputs.sauce.portions}:{inputs.wine.bottle}".encode())
    for course in inputs.cooked:
        digest.update(f":{course.key}:{_read(ctx, course.portions)}".encode())
    served = MealServed(sha256=digest.hexdigest())
    ctx.with_answer("INSERT INTO chaos_meals (run_id, sha256) VALUES (%s, %s)", [(ctx.run_id, served.sha256)])
    return served


def handlers() -> dict[str, Handle]:
    """By component."""
    return {
        PLANNER.name: plan_meal,
        COOK.name: cook_course,
        SAUCIER.name: mix_sauce,
        SOMMELIER.name: pair_wine,
        SERVER.name: serve_meal,
    }


def fallbacks() -> dict[str, Handle]:
    """By component, of those that have one."""
    return {SOMMELIER.name: pour_water}


def _write(ctx: Context, table: pa.Table) -> DatasetRef:
    for attempt in ctx.retrying():
        with attempt:
            return ctx.write("portions", table)
    raise AssertionError("the last try returns or raises")


def _read(ctx: Context, ref: DatasetRef) -> list[int]:
    for attempt in ctx.retrying():
        with attempt:
            return list(ctx.read(ref).column("portion").to_pylist())
    raise AssertionError("the last try returns or raises")
