"""Which steps an event feeds. The needs of a step are rows, so the join is one statement under row locks."""

from contracts.envelope import StepKey
from services.runtime import sql
from services.runtime.store import Pool


async def feed(pool: Pool, event: StepKey, component: str, version: str) -> list[StepKey]:
    """Mark the component's steps that need this event, and whose needs are all answered, as ready; give those it made so.

    A step is made ready by exactly one event: two events that arrive together start it once, and a repeat of that event finds
    its steps again, whatever crashed in between.
    """
    parameters = {
        "run_id": event.run_id,
        "component": component,
        "version": version,
        "event": event.id,
        "producer": event.local,
    }
    async with pool.connection() as connection:
        cursor = await connection.execute(sql.FEED, parameters)
        items = [str(row["item"]) for row in await cursor.fetchall()]
    return [StepKey(run_id=event.run_id, component=component, item=item) for item in items]
