"""The verdict in plain words, for this pipeline. A sentence names the rows its numbers come from, as `[[id]]`."""

from collections.abc import Iterable, Sequence

from orchestrator.compare.on_aws import CONCURRENT, DURATIONS
from orchestrator.compare.replay import BOUND
from orchestrator.compare.results import About, Row
from orchestrator.compare.rows import DEARER, OUTCOMES

CLEAR = 0.05
"""Share by which one wall time on AWS must be smaller to be called faster."""

SLOWER = 2.0
"""Times as long as alone, from which on it is the crowd that matters."""


class Numbers:
    """Rows by id."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {row.id: row for row in rows}

    def get(self, *parts: object) -> Row | None:
        return self._rows.get("/".join(map(str, parts)))

    def value(self, *parts: object) -> float:
        """0 where there is none."""
        row = self.get(*parts)
        return row.value if row else 0.0

    def has(self, *parts: object) -> bool:
        return self.get(*parts) is not None


def verdict(about: About, rows: Sequence[Row]) -> tuple[str, ...]:
    """What matters most comes first."""
    numbers = Numbers(rows)
    styles = [style for style in about.styles if numbers.has("runs", style)]
    found = (
        _in_short(styles, numbers),
        _published(styles, numbers),
        _time(styles, numbers),
        _why(numbers),
        _idle(about, numbers),
        _faults(styles, numbers),
        _recovery(styles, numbers),
        _places(styles, numbers),
        _money(styles, numbers),
        *_aws(numbers),
    )
    return tuple(sentence for sentence in found if sentence)


def checked(about: About, rows: Sequence[Row]) -> str:
    """Whether the simulation may be believed."""
    numbers = Numbers(rows)
    tried = [style for style in about.styles if numbers.has("check.error", style)]
    if not tried:
        return "The simulation is not checked: that needs two undisturbed runs of a style, and there were fewer."
    off = {
        style: f"{style} ([[check.error/{style}]] off, [[check.error/{style}/exchanged]] with the halves exchanged)"
        for style in tried
    }
    good = [style for style in tried if numbers.value("check.error", style) <= BOUND]
    bad = [off[style] for style in tried if style not in good]
    said = [off[style] for style in good]
    held = f"holds within {BOUND:.0%} for {_and(said)}" if said else ""
    missed = f"misses {BOUND:.0%} for {_and(bad)}" if bad else ""
    return (
        "The simulation, calibrated on half of the undisturbed runs and asked for the others' median wall time, "
        f"{_and(filter(None, (held, missed)))}."
    )


def break_evens(rows: Sequence[Row]) -> tuple[str, ...]:
    """Where one price becomes another."""
    numbers = Numbers(rows)
    found = []
    for row in rows:
        measure, _, pair = row.id.partition("/")
        if measure == "usd.break-even":
            dear, cheap = pair.split("/")
            found.append(
                f"{dear.capitalize()} costs [[usd.more/{pair}]] more than {cheap} for 1,000 runs: {DEARER:g} USD a month from "
                f"[[{row.id}]] on."
            )
    if numbers.has("express.break-even"):
        found.append(
            "Express costs less than Standard for runs under [[express.break-even]]; it ends each after five minutes."
        )
    if numbers.has("usd.idle"):
        found.append("Polls that find nothing, by one worker of each queue, cost [[usd.idle]] in every style.")
    return tuple(found)


def _in_short(styles: Sequence[str], numbers: Numbers) -> str | None:
    timed = [style for style in styles if numbers.has("wall.p50", style)]
    if len(timed) < 2:
        return None
    fastest = min(timed, key=lambda style: numbers.value("wall.p50", style))
    said = [f"{fastest.capitalize()} was the fastest, [[wall.p50/{fastest}]] a run"]
    billed = [style for style in styles if numbers.has("usd", style)]
    if billed:
        cheapest = min(billed, key=lambda style: numbers.value("usd", style))
        cost = f"the cheapest, [[usd/{cheapest}]] for 1,000 runs"
        said[0] += f", and {cost}" if cheapest == fastest else ""
        said += [f"{cheapest} {cost}"] if cheapest != fastest else []
    said += _found_soonest(styles, numbers)
    silent = [style for style in styles if _silent(style, numbers)]
    harm = "stale or wrong" if any(numbers.value("outcome.wrong", style) for style in silent) else "stale"
    said.append(
        f"{_and(silent)} published {harm} forecasts" if silent else "no style published a stale or wrong forecast"
    )
    return "; ".join(said) + "."


def _found_soonest(styles: Sequence[str], numbers: Numbers) -> list[str]:
    """Nothing where several need as few places."""
    looked = sorted((numbers.value("places", style), style) for style in styles if numbers.has("places", style))
    if len(looked) < 2 or looked[0][0] == looked[1][0]:
        return []
    return [f"a cause is found in the fewest places {looked[0][1]}"]


def _published(styles: Sequence[str], numbers: Numbers) -> str | None:
    """Of styles that published what they should not have."""
    silent = [style for style in styles if _silent(style, numbers)]
    if not silent:
        return None
    said = []
    for style in silent:
        sentence = f"of [[runs/{style}]] runs {style} published [[outcome.stale/{style}]] from stale inputs"
        if numbers.value("outcome.stale", style):
            sentence += f" ([[stale.differs/{style}]] of these another forecast than without the fault)"
        sentence += f" and [[outcome.wrong/{style}]] wrong" if numbers.value("outcome.wrong", style) else ""
        sentence += f", and nobody was told of [[unseen/{style}]] of them" if numbers.value("unseen", style) else ""
        said.append(sentence)
    others = [style for style in styles if style not in silent]
    return _sentence(f"{'; '.join(said)}{f'; {_and(others)} published none' if others else ''}.")


def _time(styles: Sequence[str], numbers: Numbers) -> str | None:
    timed = [f"[[wall.p50/{style}]] {style}" for style in styles if numbers.has("wall.p50", style)]
    if not timed:
        return None
    sentence = f"Undisturbed, a run took {_and(timed)} (medians)."
    for slower, faster in (("choreographed", "orchestrated"), ("orchestrated", "choreographed")):
        more = numbers.get("wall.more", slower, faster)
        if more and more.low is not None and more.low > 0:
            return f"{sentence} {slower.capitalize()} is slower than {faster}, by [[{more.id}]]."
        if more and more.low is not None:
            return f"{sentence} These runs do not tell whether {slower} is slower than {faster}: [[{more.id}]]."
    return sentence


def _why(numbers: Numbers) -> str | None:
    said = [
        f"{style} adds [[overhead/{style}]] of coordination to [[critical/{style}]] of handlers"
        for style in ("choreographed", "orchestrated")
        if numbers.has("overhead", style)
    ]
    if numbers.has("barriers", "orchestrated"):
        more = "[[barriers/orchestrated]] more" if numbers.value("barriers", "orchestrated") else "nothing to that"
        said.append(f"the state machine's barriers add {more}")
    return _sentence(f"{'; '.join(said)}.") if said else None


def _idle(about: About, numbers: Numbers) -> str | None:
    if not numbers.has("idle", "scheduled") or about.clock is None:
        return None
    return (
        "Of [[wall.p50/scheduled]] a scheduled run had its inputs and waited for a clock for [[idle/scheduled]]. Clocks ran "
        f"{about.clock.time_scale:g} times as fast as in earnest, where that is [[idle.earnest/scheduled]]."
    )


def _faults(styles: Sequence[str], numbers: Numbers) -> str | None:
    said = []
    for style in styles:
        bad = [outcome for outcome in OUTCOMES[1:] if numbers.value(f"outcome.{outcome}", style)]
        ends = [f"[[outcome.{outcome}/{style}]] {outcome}" for outcome in ("succeeded", *bad)]
        said.append(f"{style}, {_and(ends)}")
    return f"How all runs ended: {'; '.join(said)}." if said else None


def _recovery(styles: Sequence[str], numbers: Numbers) -> str | None:
    said = [f"[[recovery/{style}]] {style}" for style in styles if numbers.has("recovery", style)]
    alarms = [f"[[alarm/{style}]] {style}" for style in styles if numbers.has("alarm", style)]
    sentences = []
    if said:
        sentences.append(f"After a worker was killed its work went on after {_and(said)} (medians).")
    if alarms:
        sentences.append(f"From a fault to an alarm, where there was one, it took {_and(alarms)}.")
    return " ".join(sentences) or None


def _places(styles: Sequence[str], numbers: Numbers) -> str | None:
    said = [f"[[places/{style}]] {style}" for style in styles if numbers.has("places", style)]
    return f"Places to look at from symptom to cause: {_and(said)} (means)." if said else None


def _money(styles: Sequence[str], numbers: Numbers) -> str | None:
    billed = [style for style in styles if numbers.has("usd", style)]
    if not billed:
        return None
    sentence = f"A thousand runs cost {_and([f'[[usd/{style}]] {style}' for style in billed])}."
    for one, other in (("orchestrated", "choreographed"), ("choreographed", "orchestrated")):
        if numbers.has("usd.break-even", one, other):
            from_on = f"[[usd.break-even/{one}/{other}]]"
            sentence += f" {one.capitalize()} costs {DEARER:g} USD a month more than {other} from {from_on} on."
    return sentence


def _aws(numbers: Numbers) -> Iterable[str]:
    """The shortest and the longest step, one run; then the most runs."""
    for duration in (DURATIONS[0], DURATIONS[-1]):
        ids = [f"aws.wall/{style}/1/{duration:g}" for style in ("choreographed", "orchestrated")]
        if all(numbers.has(one) for one in ids):
            choreographed, orchestrated = (numbers.value(one) for one in ids)
            said = _compared(choreographed, orchestrated)
            if numbers.value("aws.barriers", f"{duration:g}") > CLEAR * choreographed:
                said += f", since [[aws.barriers/{duration:g}]] of that are barriers of the state machine"
            yield (
                f"On AWS, one run whose longest step takes {length(duration)}: [[{ids[0]}]] choreographed, [[{ids[1]}]] "
                f"orchestrated; {said}."
            )
    yield from _crowd(numbers, CONCURRENT[-1], DURATIONS[0])


def _crowd(numbers: Numbers, crowd: int, duration: float) -> Iterable[str]:
    """Of those that many runs at once make slower."""
    said = []
    for style in ("choreographed", "orchestrated"):
        alone, crowded = (f"aws.wall/{style}/{many}/{duration:g}" for many in (1, crowd))
        if numbers.value(crowded) > SLOWER * numbers.value(alone):
            said.append(f"[[{crowded}]] {style}, alone [[{alone}]]")
    if said:
        yield f"{crowd:,} such short runs at once take {_and(said)}: there AWS's default quotas decide, not its latency."


def _compared(choreographed: float, orchestrated: float) -> str:
    if abs(orchestrated - choreographed) <= CLEAR * min(orchestrated, choreographed):
        return "nobody would notice the difference"
    return "choreographed wins" if choreographed < orchestrated else "orchestrated wins"


def _sentence(text: str) -> str:
    """With a capital letter, and the rest as it is."""
    return text[:1].upper() + text[1:]


def _silent(style: str, numbers: Numbers) -> float:
    return numbers.value("outcome.stale", style) + numbers.value("outcome.wrong", style)


def length(seconds: float) -> str:
    """Of a step, in the unit it is said in."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"


def _and(parts: Iterable[str]) -> str:
    """In a row, as people say it."""
    listed = list(parts)
    return " and ".join((", ".join(listed[:-1]), listed[-1])) if len(listed) > 1 else "".join(listed)
