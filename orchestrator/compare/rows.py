"""The rows of `results.json` that come from measured runs."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

from orchestrator.compare import intervals, money
from orchestrator.compare.facts import Prices
from orchestrator.compare.measures import Measured, Outcome, hops_of
from orchestrator.compare.recorded import RecordedRun, Style
from orchestrator.compare.results import Estimate, Row

OUTCOMES: tuple[Outcome, ...] = ("succeeded", "degraded", "failed", "stale", "wrong", "lost")

THOUSAND = 1_000

DEARER = 100.0
"""Dollars a month at which a dearer style is said to matter: about an hour of an engineer."""


class Rows:
    """Gathers rows; an estimate that is None leaves its row out. An id is a measure, a style and what else tells it apart."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.found: list[Row] = []

    def add(self, measure: str, *parts: object, unit: str, estimate: Estimate | None) -> None:
        if estimate is not None:
            name = "/".join((measure, *map(str, parts)))
            self.found.append(Row(id=name, unit=unit, **estimate.model_dump()))

    def count(self, measure: str, *parts: object, of: int, value: float, unit: str = "runs") -> None:
        """An exact number."""
        if of:
            self.add(measure, *parts, unit=unit, estimate=Estimate(n=of, value=value))

    def median(self, measure: str, *parts: object, values: Sequence[float | None], unit: str = "s") -> None:
        self.add(measure, *parts, unit=unit, estimate=intervals.median(_known(values), self.seed))

    def mean(self, measure: str, *parts: object, values: Sequence[float | None], unit: str = "a run") -> None:
        self.add(measure, *parts, unit=unit, estimate=intervals.mean(_known(values), self.seed))


def outcome_rows(rows: Rows, measured: Sequence[Measured]) -> None:
    """How often each outcome, by style, and by style and fault."""
    for style in _styles(measured):
        own = [one for one in measured if one.style == style]
        rows.count("runs", style, of=len(own), value=len(own))
        _outcomes(rows, own, style)
        stale = [one for one in own if one.outcome == "stale"]
        rows.count("stale.differs", style, of=len(own), value=sum(one.differs is True for one in stale))
        for fault in sorted({one.fault for one in own if one.fault}):
            hit = [one for one in own if one.fault == fault]
            rows.count("runs", style, fault, of=len(hit), value=len(hit))
            _outcomes(rows, hit, style, fault)


def time_rows(rows: Rows, calm: Sequence[Measured], time_scale: float) -> None:
    """Of runs that no fault hit. `time_scale` is the clocks'."""
    for style in _styles(calm):
        own = [one for one in calm if one.style == style]
        rows.count("calm", style, of=len(own), value=len(own))
        rows.median("wall.p50", style, values=[one.wall for one in own])
        p95 = intervals.quantile([one.wall for one in own], 0.95, rows.seed)
        rows.add("wall.p95", style, unit="s", estimate=p95)
        rows.median("critical", style, values=[one.critical for one in own])
        rows.median("overhead", style, values=[one.overhead for one in own])
        rows.median("barriers", style, values=[one.barriers for one in own])
        rows.median("idle", style, values=[one.idle for one in own])
        rows.median("idle.earnest", style, values=[one.idle and one.idle * time_scale for one in own])
    for pair in combinations(_styles(calm), 2):
        walls = {style: [run.wall for run in calm if run.style == style] for style in pair}
        faster, slower = sorted(pair, key=lambda style: statistics.median(walls[style]))
        more = intervals.median_difference(walls[slower], walls[faster], rows.seed)
        rows.add("wall.more", slower, faster, unit="s", estimate=more)


def hop_rows(rows: Rows, runs: Sequence[RecordedRun]) -> None:
    """Of all steps of the runs together."""
    for style in _styles(runs):
        hops = [hop for run in runs if run.style == style for hop in hops_of(run)]
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            rows.add(f"hop.{name}", style, unit="s", estimate=intervals.quantile(hops, share, rows.seed))


def fault_rows(rows: Rows, measured: Sequence[Measured]) -> None:
    """Recovery, alarm and the places to look, by style and, for places, by fault."""
    for style in _styles(measured):
        own = [one for one in measured if one.style == style and one.fault]
        rows.median("recovery", style, values=[one.recovery for one in own])
        rows.median("alarm", style, values=[one.alarm for one in own])
        rows.mean("places", style, values=[one.places for one in own], unit="places")
        rows.mean("fault.retries", style, values=[one.retries for one in own])
        rows.mean("fault.repeats", style, values=[one.repeats for one in own])
        unseen = [one for one in own if one.outcome in ("stale", "wrong") and one.alarm is None]
        rows.count("unseen", style, of=len(own), value=len(unseen))
        for fault in sorted({one.fault for one in own if one.fault}):
            hit = [one for one in own if one.fault == fault]
            rows.median("alarm", style, fault, values=[one.alarm for one in hit])
            rows.mean("places", style, fault, values=[one.places for one in hit], unit="places")


def work_rows(rows: Rows, runs: Sequence[RecordedRun], measured: Sequence[Measured]) -> None:
    """Means a run; API calls by service and operation."""
    retries = {one.number: one.retries for one in measured}
    for style in _styles(runs):
        own = [run for run in runs if run.style == style and run.work]
        work = [run.work for run in own if run.work]
        rows.mean("messages", style, values=[one.messages for one in work])
        rows.mean("transitions", style, values=[one.state_transitions for one in work])
        rows.mean("idle-polls", style, values=[one.idle_polls for one in work])
        rows.mean("repeats", style, values=[one.repeats_absorbed for one in work])
        rows.mean("retries", style, values=[retries[run.number] for run in own])
        rows.mean("calls", style, values=[_total(one.api_calls.values()) for one in work])
        for service in sorted({name for one in work for name in one.bytes}):
            rows.mean("bytes", style, service, values=[one.bytes.get(service, 0) for one in work], unit="bytes")
        called = {(service, operation) for one in work for service, many in one.api_calls.items() for operation in many}
        for service, operation in sorted(called):
            counts = [one.api_calls.get(service, {}).get(operation, 0) for one in work]
            rows.mean("calls", style, service, operation, values=counts)


def money_rows(rows: Rows, runs: Sequence[RecordedRun], prices: Prices, queues: int) -> None:
    """Dollars per 1,000 runs, from the mean work of a run, and where lines cross."""
    totals: dict[str, float] = {}
    for style in _styles(runs):
        own = [run for run in runs if run.style == style and run.work]
        bills = [money.dollars_of(run.work, prices) for run in own if run.work]
        for line in money.LINES:
            rows.mean("usd", style, line, values=[bill[line] * THOUSAND for bill in bills], unit="USD")
        rows.mean("usd", style, values=[sum(bill.values()) * THOUSAND for bill in bills], unit="USD")
        if bills:
            totals[style] = sum(sum(bill.values()) for bill in bills) / len(bills)
        if style == "orchestrated":
            _express(rows, own, prices)
    rows.count("usd.idle", of=queues, value=money.idle_dollars_a_month(queues, prices), unit="USD a month")
    for one, other in combinations(totals, 2):
        dear, cheap = (one, other) if totals[one] > totals[other] else (other, one)
        more = totals[dear] - totals[cheap]
        rows.count("usd.more", dear, cheap, of=len(runs), value=more * THOUSAND, unit="USD")
        if more > 0:
            rows.count("usd.break-even", dear, cheap, of=len(runs), value=DEARER / more, unit="runs a month")


def _express(rows: Rows, runs: Sequence[RecordedRun], prices: Prices) -> None:
    dollars = [money.express_dollars(run, prices) for run in runs]
    rows.mean("usd.express", values=[one * THOUSAND if one is not None else None for one in dollars], unit="USD")
    transitions = [run.work.state_transitions for run in runs if run.work and run.work.state_transitions]
    if transitions:
        seconds = money.express_break_even(sum(transitions) / len(transitions), prices)
        rows.count("express.break-even", of=len(transitions), value=seconds, unit="s")


def _outcomes(rows: Rows, runs: Sequence[Measured], *parts: str) -> None:
    counted = Counter(one.outcome for one in runs)
    for outcome in OUTCOMES:
        rows.count(f"outcome.{outcome}", *parts, of=len(runs), value=counted[outcome])


def _styles(runs: Iterable[Measured] | Iterable[RecordedRun]) -> list[Style]:
    """In the order they first came."""
    return list(dict.fromkeys(run.style for run in runs))


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _total(counts: Iterable[dict[str, int]]) -> int:
    return sum(sum(many.values()) for many in counts)
