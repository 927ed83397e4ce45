"""Everything the page says, before it is markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from contracts.configurator import RunPlanned
from contracts.message import Replacement
from contracts.network_configuration import FactoryNetworkConfigured
from services.publisher.history import History
from services.publisher.previous import Previous
from services.publisher.totals import Total
from services.runtime.canonical import Row


@dataclass(frozen=True)
class Content:
    """One publication. `kinds_of_food` tells planners what a recipe is: its category and cuisine, by recipe."""

    run_id: str
    plan: RunPlanned
    rows: Sequence[Row]
    totals: Sequence[Total]
    history: History
    networks: Sequence[FactoryNetworkConfigured]
    sha256: str
    previous: Previous | None = None
    degraded: Sequence[Replacement] = ()
    kinds_of_food: Mapping[str, str] = field(default_factory=dict)

    @property
    def factories(self) -> list[str]:
        """Those of the plan and those of the forecast."""
        return sorted({factory.key for factory in self.plan.factories} | {row.factory for row in self.rows})

    @property
    def weeks(self) -> list[date]:
        return sorted(week.starts for week in self.plan.weeks)

    @cached_property
    def compared_weeks(self) -> list[date]:
        """The weeks the previous publication forecast as well."""
        return [week for week in self.weeks if self.previous and week in self.previous.weeks]

    def rows_of(self, factory: str, week: date, kind: str) -> list[Row]:
        return self._rows_by_place.get((factory, week, kind), [])

    @cached_property
    def _rows_by_place(self) -> dict[tuple[str, date, str], list[Row]]:
        places: dict[tuple[str, date, str], list[Row]] = {}
        for row in self.rows:
            places.setdefault((row.factory, row.week, row.kind), []).append(row)
        return places


@dataclass(frozen=True)
class Change:
    """A P50 now and in the previous publication, which may not have had it."""

    now: float
    before: float | None

    @property
    def difference(self) -> float:
        return self.now - (self.before or 0.0)

    @property
    def share(self) -> float | None:
        """The difference as a part of what was there before; None when that was nothing."""
        return self.difference / self.before if self.before else None

    @property
    def is_any(self) -> bool:
        return self.before is None or self.difference != 0


def change_of(row: Row, previous: Previous) -> Change:
    return Change(row.p50, previous.rows.get(row.key))
