"""The report's plots as SVG that takes its colours from the page, so that it is light and dark as the page is.

Deterministic: a fixed salt for ids, no date. Each plot is drawn twice, for wide and for narrow screens.
"""

import io
import re
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.compare.on_aws import CONCURRENT, DURATIONS
from orchestrator.compare.recorded import Style
from orchestrator.compare.results import Bar, Results
from orchestrator.compare.rows import OUTCOMES
from orchestrator.compare.verdict import Numbers

COLOURS = {
    "ink": "#010101",
    "soft": "#020202",
    "line": "#030303",
    "scheduled": "#040404",
    "choreographed": "#050505",
    "orchestrated": "#060606",
    "failed": "#070707",
    "wrong": "#080808",
    "done": "#090909",
    "running": "#0a0a0a",
    "idle": "#0b0b0b",
}
"""Stand-ins that the page's own colours replace; matplotlib knows no variables."""

OUTCOME_COLOURS = {
    "succeeded": "done",
    "degraded": "idle",
    "failed": "running",
    "stale": "failed",
    "wrong": "wrong",
    "lost": "ink",
}

SETTINGS = {
    "svg.hashsalt": "brigade",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["soft"],
    "axes.edgecolor": COLOURS["line"],
    "axes.titlesize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.5,
    "legend.frameon": False,
}

WIDE, NARROW = 9.5, 4.2
"""Inches."""

RUNS_A_MONTH = (10, 100, 1_000, 10_000, 100_000, 1_000_000)


def plot(name: str, results: Results, wide: bool) -> str | None:
    """An SVG element, or None where nothing was measured that it could show."""
    with rc_context(SETTINGS):  # type: ignore[arg-type]
        figure = DRAWN[name](results, WIDE if wide else NARROW)
        if figure is None:
            return None
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            bbox_inches="tight",
            metadata={"Date": None, "Creator": None, "Type": None, "Format": None},
        )
    return _for_the_page(buffer.getvalue(), f"{name}-{'wide' if wide else 'narrow'}")


def timelines(results: Results, width: float) -> Figure | None:
    """One run of each style, by component; what was ready and waited is drawn pale.

    Clocks take so much longer that the other styles, which share an axis, would be a stroke beside them.
    """
    styles = [style for style in results.about.styles if any(bar.style == style for bar in results.bars)]
    if not styles:
        return None
    components = results.about.components
    figure = Figure(figsize=(width, (0.2 * len(components) + 0.85) * len(styles)), layout="constrained")
    for axes, style in zip(_columns(figure, len(styles)), styles, strict=True):
        own = [bar for bar in results.bars if bar.style == style]
        _bars(axes, own, components, style)
        beside = [bar.ended for bar in results.bars if (bar.style == "scheduled") == (style == "scheduled")]
        axes.set_xlim(0, 1.03 * max(beside))
        axes.set_title(style, loc="left", fontweight="bold")
        axes.set_yticks(range(len(components)), components)
        axes.invert_yaxis()
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
    figure.axes[-1].set_xlabel("seconds since the run's start")
    return figure


def distributions(results: Results, width: float) -> Figure | None:
    """Share of runs that had ended by then, and of steps that were claimed by then."""
    walls = {s: [run.wall for run in results.runs if run.style == s and not run.control] for s in results.about.styles}
    hops = {s: [hop.seconds for hop in results.hops if hop.style == s] for s in results.about.styles}
    side_by_side = (1, 2) if width == WIDE else (2, 1)
    figure = Figure(figsize=(width, 2.9 * side_by_side[0]), layout="constrained")
    left, right = figure.subplots(*side_by_side)
    _steps(left, walls, "wall seconds of a run, faults among them")
    _steps(right, hops, "seconds of a hop to a step, undisturbed")
    left.set_ylabel("share of runs")
    right.set_ylabel("share of steps")
    if not left.lines:
        return None
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    return figure


def overhead(results: Results, width: float) -> Figure | None:
    """Seconds beyond the critical path on AWS, by the longest step."""
    numbers, (figure, axes) = Numbers(results.rows), _figure(width, 3.6)
    for style in results.about.styles:
        for concurrent, dash in ((CONCURRENT[0], "solid"), (CONCURRENT[-1], "dashed")):
            found = [
                (duration, numbers.value("aws.wall", style, concurrent, f"{duration:g}") - _critical(numbers, duration))
                for duration in DURATIONS
                if numbers.has("aws.wall", style, concurrent, f"{duration:g}")
            ]
            if found and not (style == "scheduled" and concurrent != 1):
                times = f"{concurrent:,} at once" if concurrent > 1 else "one run"
                label = style if style == "scheduled" else f"{style}, {times}"
                axes.plot(
                    *zip(*found, strict=True),
                    color=COLOURS[style],
                    linestyle=dash,
                    marker="o",
                    markersize=3,
                    label=label,
                )
    axes.set(xscale="log", yscale="log", xlabel="seconds of the longest step", ylabel="seconds of coordination")
    return _finished(figure, axes)


def costs(results: Results, width: float) -> Figure | None:
    """Dollars a month, idle polls among them."""
    numbers, (figure, axes) = Numbers(results.rows), _figure(width, 3.1)
    for style in results.about.styles:
        if numbers.has("usd", style):
            each = numbers.value("usd", style) / 1_000
            dollars = [runs * each + numbers.value("usd.idle") for runs in RUNS_A_MONTH]
            axes.plot(RUNS_A_MONTH, dollars, color=COLOURS[style], label=style, linewidth=1.8)
    axes.set(xscale="log", yscale="log", xlabel="runs a month", ylabel="USD a month")
    return _finished(figure, axes)


def outcomes(results: Results, width: float) -> Figure | None:
    """By fault and style, the share of runs that ended so."""
    numbers, styles = Numbers(results.rows), results.about.styles
    faults = sorted({run.fault for run in results.runs if run.fault})
    if not faults:
        return None
    figure, axes = _figure(width, 0.19 * (len(styles) + 1.2) * len(faults) + 0.9)
    ticks: dict[float, str] = {}
    for number, fault in enumerate(faults):
        top = number * (len(styles) + 1.2)
        axes.text(0, top, fault, va="center")
        for line, style in enumerate(styles, start=1):
            if numbers.has("runs", style, fault):
                ticks[top + line] = style
                _shares(axes, top + line, numbers, style, fault)
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of runs")
    figure.legend(*_labelled(axes), loc="outside upper left", ncols=6 if width == WIDE else 3)
    return figure


DRAWN = {
    "timelines": timelines,
    "distributions": distributions,
    "overhead": overhead,
    "costs": costs,
    "outcomes": outcomes,
}


def _bars(axes: Axes, bars: Sequence[Bar], components: Sequence[str], style: str) -> None:
    """Items of one component share its line, one under the other."""
    for row, component in enumerate(components):
        own = [bar for bar in bars if bar.component == component]
        items = list(dict.fromkeys(bar.item for bar in own))
        height = 0.8 / max(len(items), 1)
        for bar in own:
            y = row - 0.4 + height * (items.index(bar.item) + 0.5)
            if bar.waited_from is not None and bar.waited_from < bar.claimed:
                axes.barh(y, bar.claimed - bar.waited_from, left=bar.waited_from, height=height, color=COLOURS["line"])
            colour = COLOURS[style] if bar.outcome == "done" else COLOURS["failed"]
            axes.barh(y, max(bar.ended - bar.claimed, 0.0), left=bar.claimed, height=height, color=colour)


def _shares(axes: Axes, position: float, numbers: Numbers, style: str, fault: str) -> None:
    left = 0.0
    for outcome in OUTCOMES:
        share = numbers.value(f"outcome.{outcome}", style, fault) / numbers.value("runs", style, fault)
        colour = COLOURS[OUTCOME_COLOURS[outcome]]
        axes.barh(position, share, left=left, height=0.75, color=colour, label=outcome)
        left += share


def _labelled(axes: Axes) -> tuple[list[Artist], list[str]]:
    """Each label once."""
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(reversed(labels), reversed(handles), strict=True))
    return [once[label] for label in dict.fromkeys(labels)], list(dict.fromkeys(labels))


def _steps(axes: Axes, values: Mapping[Style, Sequence[float]], label: str) -> None:
    """Empirical distributions, by style."""
    for style, found in values.items():
        ordered = sorted(found)
        if ordered:
            shares = [(number + 1) / len(ordered) for number in range(len(ordered))]
            axes.step(
                [ordered[0], *ordered], [0, *shares], where="post", color=COLOURS[style], label=style, linewidth=1.8
            )
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.grid(visible=True)


def _critical(numbers: Numbers, duration: float) -> float:
    return numbers.value("aws.critical", f"{duration:g}")


def _columns(figure: Figure, count: int) -> list[Axes]:
    """One under the other."""
    axes = figure.subplots(count, 1, squeeze=False)
    return [row[0] for row in axes]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _finished(figure: Figure, axes: Axes) -> Figure | None:
    if not axes.lines:
        return None
    axes.grid(visible=True)
    figure.legend(loc="outside lower left", ncols=3 if figure.get_figwidth() == WIDE else 1)
    return figure


def _for_the_page(svg: str, name: str) -> str:
    """The element alone, with the page's colours; its ids are told apart from another plot's, and unused ones left out."""
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    for colour, stand_in in COLOURS.items():
        svg = svg.replace(stand_in, f"var(--{colour})")
    return re.sub(r' (?:width|height)="[^"]+pt"', "", svg, count=2)
