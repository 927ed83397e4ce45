"""From a recording to `Results`: measures, intervals, money, the simulation and its check, and the verdict. Deterministic."""

from collections.abc import Callable, Sequence
from statistics import median

from orchestrator.compare import on_aws
from orchestrator.compare.facts import AwsFacts, aws_facts
from orchestrator.compare.measures import DEFINITIONS, hops_of, measure
from orchestrator.compare.outcomes import outcomes
from orchestrator.compare.paths import ended, seconds_of
from orchestrator.compare.recorded import Attempt, RecordedRun, Recording, StepRun, Style
from orchestrator.compare.replay import checks, undisturbed, waits_of
from orchestrator.compare.results import About, Bar, Hop, Results, Source
from orchestrator.compare.rows import Rows, fault_rows, hop_rows, money_rows, outcome_rows, time_rows, work_rows
from orchestrator.compare.simulation import SimStep
from orchestrator.compare.verdict import break_evens, checked, verdict

Say = Callable[[str], None]

SHORTEST = 1e-6
"""Seconds of a handler that was too fast to be timed."""


def analyse(recording: Recording, say: Say, grid: on_aws.Grid | None = None) -> Results:
    """`say` gets a sentence as each part begins; `grid` is what is simulated on AWS. The same recording, the same results."""
    head, runs = recording.head, recording.measured
    facts = aws_facts()
    measured = tuple(measure(run, head.places) for run in runs)
    calm = [run for run in runs if undisturbed(run)]
    calm_numbers = {run.number for run in calm}
    rows = Rows(head.seed)
    say("measures and intervals")
    counted = [one for one in measured if not one.control]
    outcome_rows(rows, counted)
    time_scale = head.clock.time_scale if head.clock else 1.0
    time_rows(rows, [one for one in measured if one.number in calm_numbers], time_scale)
    hop_rows(rows, calm)
    fault_rows(rows, counted)
    work_rows(rows, calm, measured)
    queues = sum(len(node.versions) for node in head.graph.nodes)
    money_rows(rows, calm, facts.prices, queues)
    say("the simulation against the emulator")
    for exchanged in (False, True):
        parts = ("exchanged",) if exchanged else ()
        for found in checks(runs, head.places, head.seed, exchanged):
            rows.count("check.predicted", found.style, *parts, of=found.calibrated, value=found.predicted, unit="s")
            rows.count("check.measured", found.style, *parts, of=found.predicted_runs, value=found.measured, unit="s")
            rows.count("check.error", found.style, *parts, of=found.predicted_runs, value=found.error, unit="share")
            rows.count("check.apart", found.style, *parts, of=found.predicted_runs, value=found.apart, unit="share")
    _on_aws(rows, recording, calm, facts, grid or on_aws.GRID, say)
    about = _about(recording)
    return Results(
        about=about,
        definitions=DEFINITIONS,
        verdict=verdict(about, rows.found),
        checked=checked(about, rows.found),
        break_evens=break_evens(rows.found),
        rows=tuple(rows.found),
        outcomes=outcomes(recording),
        runs=measured,
        hops=tuple(Hop(style=run.style, seconds=hop) for run in calm for hop in hops_of(run)),
        bars=tuple(bar for run in _typical(calm) for bar in _bars(run)),
        sources=_sources(facts),
    )


def _on_aws(
    rows: Rows, recording: Recording, calm: Sequence[RecordedRun], facts: AwsFacts, grid: on_aws.Grid, say: Say
) -> None:
    """The measured steps of a choreographed run, which no barrier has moved, on AWS's latencies."""
    head = recording.head
    typical = {run.style: run for run in _typical(calm)}
    model = typical.get("choreographed") or typical.get("orchestrated")
    if model is None or not any(step.answered for step in model.steps):
        return
    steps = _sim_steps(model, recording, "choreographed")
    barred = _sim_steps(model, recording, "orchestrated")
    for duration in on_aws.DURATIONS:
        critical = on_aws.critical(on_aws.scale(steps, duration))
        barriers = on_aws.critical(on_aws.scale(barred, duration)) - critical
        rows.count("aws.critical", f"{duration:g}", of=len(steps), value=critical, unit="s")
        rows.count("aws.barriers", f"{duration:g}", of=len(steps), value=barriers, unit="s")
    clocks = (head.graph, head.clock) if head.clock else None
    for style in head.styles:
        say(f"the pipeline on AWS, {style}")
        entered = _transitions_a_step(typical.get("orchestrated"))
        mine = _sim_steps(model, recording, style)
        for cell in on_aws.cells(style, mine, facts, head.seed, entered, clocks, grid):
            rows.count(
                "aws.wall",
                style,
                cell.concurrent,
                f"{cell.duration:g}",
                of=max(cell.concurrent, on_aws.SINGLES),
                value=cell.wall,
                unit="s",
            )


def _sim_steps(run: RecordedRun, recording: Recording, style: Style) -> list[SimStep]:
    """The run's steps with what they wait for in a style, whatever style it was run in."""
    waits = waits_of(run.model_copy(update={"style": style}), recording.head.places)
    order = {node.component: number for number, node in enumerate(recording.head.graph.nodes)}
    ordered = sorted((step for step in run.steps if step.key in waits), key=lambda step: order[step.component])
    position = {step.key: number for number, step in enumerate(ordered)}
    found = []
    for step in ordered:
        waited = tuple(position[need] for need in waits[step.key])
        found.append(SimStep(step.key, step.component, waited, max(seconds_of(step), SHORTEST)))
    return found


def _transitions_a_step(run: RecordedRun | None) -> float:
    if run is None or run.work is None:
        return 1.0
    return run.work.state_transitions / max(sum(step.answered is not None for step in run.steps), 1)


def _typical(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """Of each style the run whose wall time is nearest to the median."""
    found = []
    for style in dict.fromkeys(run.style for run in runs):
        own = [run for run in runs if run.style == style]
        middle = median(run.seconds for run in own)
        found.append(min(own, key=lambda run: (abs(run.seconds - middle), run.number)))
    return found


def _bars(run: RecordedRun) -> list[Bar]:
    ends = {step.key: ended(step) for step in run.steps}

    def bar(step: StepRun, attempt: Attempt) -> Bar:
        inputs = [end for need in step.needs if (end := ends.get(need)) is not None]
        return Bar(
            style=run.style,
            component=step.component,
            item=step.item,
            waited_from=max(inputs, default=None),
            claimed=attempt.claimed,
            ended=attempt.ended if attempt.ended is not None else attempt.claimed,
            outcome=attempt.outcome or "lost",
        )

    return [bar(step, attempt) for step in run.steps for attempt in step.attempts]


def _about(recording: Recording) -> About:
    head = recording.head
    return About(
        pipeline=head.pipeline,
        styles=head.styles,
        components=tuple(node.component for node in head.graph.nodes),
        runs=head.runs,
        seed=head.seed,
        faults=head.faults,
        clock=head.clock,
        versions=head.versions,
        machine=head.machine,
        started_at=head.started_at,
        command=head.command,
    )


def _sources(facts: AwsFacts) -> tuple[Source, ...]:
    prices, latencies, quotas = facts.prices, facts.latencies, facts.quotas
    return (
        *(
            Source(
                what=f"{price.what}: {price.dollars:g} USD for {price.per:,}",
                region=prices.region,
                as_of=str(prices.as_of),
                source=price.source,
            )
            for price in prices.items
        ),
        *(
            Source(
                what=f"latency of {name}: p50 {published.p50:g}, p90 {published.p90:g}, p99 {published.p99:g} ms",
                region=latencies.region,
                as_of=str(latencies.as_of),
                source=latencies.source,
            )
            for name, published in (
                ("SQS standard", latencies.sqs),
                ("SNS standard", latencies.sns),
                ("Step Functions Standard, asynchronous", latencies.states),
            )
        ),
        *(
            Source(
                what=f"quota of {name}: {quota.bucket:,} at once, {quota.refill:,} more a second",
                region=quotas.region,
                as_of=str(quotas.as_of),
                source=quotas.source,
            )
            for name, quota in (
                ("StartExecution", quotas.start_execution),
                ("state transitions", quotas.state_transition),
                ("SendTaskSuccess", quotas.send_task_success),
                ("messages published to SNS", quotas.sns_publish),
            )
        ),
    )
