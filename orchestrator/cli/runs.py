"""run, runs, history, logs."""

from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from contracts.errors import BadRequest
from contracts.message import Replacement
from contracts.pipelines import component_named, pipeline_named
from orchestrator import logs as run_logs
from orchestrator.cli.dates import day_of
from orchestrator.cli.session import Session, out, print_json, say
from orchestrator.execute import Outcome, Result, execute, result_of
from orchestrator.fleet import missing_workers
from orchestrator.history import AttemptAtStep, RunHistory, in_words
from orchestrator.operations import RunAsked
from orchestrator.page import save_page
from orchestrator.start import check_asked, chosen_versions

SHORT = 40
"""Characters of a value that is shown beside its step."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def run(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(help="For example order-simulation.")],
    day: Annotated[date, typer.Option("--date", parser=day_of, metavar="DATE", help="The day the run plans from.")],
    style: Annotated[str, typer.Option(help="orchestrated or choreographed.")] = "orchestrated",
    flag: Annotated[list[str] | None, typer.Option(help="COMPONENT=VERSION, for this run only.")] = None,
    seed: Annotated[int, typer.Option(help="Of the simulation's random draws.")] = 1,
    as_json: Json = False,
) -> None:
    """Start a run, follow it to its end and say what it cost; ends with 1 when the run fails.

    Example: brigade run order-simulation --style choreographed --date 2026-11-25 --flag order-simulator=v2
    """
    session: Session = context.obj
    flags = _flags(flag or [])
    check_asked(pipeline_named(pipeline), style, flags)
    asked = RunAsked(pipeline=pipeline, date=day, style=style, flags=flags, seed=seed)
    outcome = _run_there(session, asked) if session.url else _run_here(session, asked)
    if as_json:
        print_json(outcome)
    else:
        _print_outcome(outcome)
    if outcome.status != "SUCCEEDED":
        say(f"`brigade logs {outcome.run_id}` shows more; `brigade redrive {outcome.run_id}` goes on when it is mended")
        say(f"error: {outcome.cause}")
        raise typer.Exit(1)


def _run_here(session: Session, asked: RunAsked) -> Outcome:
    pipeline = pipeline_named(asked.pipeline)
    wanted = {(component.name, version) for component, version in chosen_versions(pipeline, asked.flags)}
    return execute(
        session.aws,
        session.connection,
        session.deployment,
        pipeline,
        asked.style,
        asked.date,
        asked.flags,
        asked.seed,
        started=lambda run_id: _say_started(run_id, missing_workers(session.connection, wanted)),
        follow=lambda run_id: _follow(session, run_id),
    )


def _run_there(session: Session, asked: RunAsked) -> Result:
    """Through a service, which does not count what a run costs."""
    begun = session.operations.start(asked)
    _say_started(begun.run_id, begun.waits_for)
    return result_of(_follow(session, begun.run_id))


def _say_started(run_id: str, missing: Sequence[str]) -> None:
    say(f"started {run_id}")
    if missing:
        say(f"no worker has reported lately for {', '.join(missing)}: the run waits until one does (`brigade up`)")


def _follow(session: Session, run_id: str) -> RunHistory:
    try:
        history = session.follow(run_id)
    except KeyboardInterrupt:
        say(f"not following any more; the run goes on: `brigade history {run_id}` shows where it is")
        raise
    if not session.url:
        say("the run has ended; counting what it cost, once every worker has reported")
    return history


def _flags(given: list[str]) -> dict[str, str]:
    flags: dict[str, str] = {}
    for text in given:
        component, found, version = text.partition("=")
        if not found or not version:
            raise BadRequest(f"--flag {text}: write COMPONENT=VERSION, as order-simulator=v2")
        if flags.setdefault(component, version) != version:
            raise BadRequest(f"--flag {component}: {flags[component]} and {version} cannot both run: give one of them")
    return flags


def _print_outcome(outcome: Result) -> None:
    status = in_words(outcome.status, outcome.degraded)
    out.print(f"{outcome.run_id} {status} in {outcome.seconds:.1f} s, {outcome.steps} steps", highlight=False)
    _print_replaced(outcome.degraded)
    if outcome.published:
        out.print(
            f"published {outcome.published.uri}\n  sha256 {outcome.published.sha256}", highlight=False, soft_wrap=True
        )
    if isinstance(outcome, Outcome):  # of a run that was started here: no service gives files
        if outcome.published and outcome.published.page:
            out.print(f"  `brigade forecast {outcome.run_id} --html FILE` writes its page", highlight=False)
        _print_cost(outcome)


def _print_cost(outcome: Outcome) -> None:
    calls = ", ".join(f"{service} {sum(of.values())}" for service, of in outcome.api_calls.items())
    alone = "" if outcome.alone else " (shared with other runs)"
    out.print(
        f"cost: {outcome.messages} messages, API calls {calls}, {outcome.idle_polls} idle polls, "
        f"{outcome.state_transitions} state transitions{alone}",
        highlight=False,
    )


def _print_replaced(degraded: tuple[Replacement, ...]) -> None:
    for one in degraded:
        text = f"degraded: {one.component}/{one.item} gave {one.by}, because of {one.why}"
        out.print(text, highlight=False, markup=False, soft_wrap=True)


def runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the latest runs. Example: brigade runs --limit 5"""
    session: Session = context.obj
    rows = session.operations.runs(limit)
    if as_json:
        print_json(rows)
        return
    out.print(_runs_table(rows))


def _runs_table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table("run", "style", "date", "status", "started (UTC)", "seconds", "versions", "cause")
    for row in rows:
        table.add_row(
            row["run_id"],
            row["style"],
            str(row["date"]),
            in_words(row["status"], row["degraded"]),
            f"{row['started_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            f"{row['seconds']:.1f}",
            "\n".join(row["versions"]),
            Text(row["cause"] or ""),
        )
    return table


def history(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page instead, with its log lines, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show every attempt of a run, in one form for both styles. Example: brigade history 2026-11-25-orchestrated-1a2b3c"""
    session: Session = context.obj
    found = session.operations.history(run_id)
    if html:
        save_page(session.operations.page(run_id), html)
        say(f"wrote {html}")
    if as_json:
        print_json(found)
    elif not html:
        _print_history(found)


def _print_history(found: RunHistory) -> None:
    out.print(_attempts_table(found))
    _print_replaced(found.degraded)
    if found.cause:
        out.print(f"cause: {found.cause}", highlight=False, markup=False)
    if found.published:
        out.print(f"published {found.published.uri}, sha256 {found.published.sha256}", highlight=False, soft_wrap=True)


def _attempts_table(found: RunHistory) -> Table:
    short = ("component", "version", "item", "#", "status", "start (UTC)", "seconds")
    status = in_words(found.status, found.degraded)
    table = Table(title=f"{found.run_id}  {found.style}  {status}  {found.duration:.1f} s", title_justify="left")
    for column in short:
        table.add_column(column, no_wrap=True)
    for column in ("output", "error", "log"):
        table.add_column(column, overflow="fold")
    for step in found.steps:
        table.add_row(
            step.component,
            step.version,
            step.item,
            str(step.attempt or ""),
            step.status if step.mode == "normal" else f"{step.status}, {step.mode}",
            f"{step.start:%H:%M:%S.%f}"[:-3] if step.start else "",
            f"{step.duration:.2f}" if step.duration is not None else "",
            _brief(step, found.run_id),
            step.error or "",
            Path(step.log).name if step.log else "",
        )
    return table


def _brief(step: AttemptAtStep, run_id: str) -> str:
    """References, those of this run as component, item and file, and short values: whole outputs are in --json."""
    if not isinstance(step.output, dict):
        return ""
    lines = []
    for name, value in step.output.items():
        text = str(value.get("uri") if isinstance(value, dict) else value)
        if text.startswith("s3://"):
            before, _, after = text.partition(f"/{run_id}/")
            lines.append(f"{before.rpartition('/')[2]}/{after}" if after else text)
        elif isinstance(value, str | int | float) and len(text) <= SHORT:
            lines.append(f"{name}={text}")
    return "\n".join(lines)


def logs(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    component: Annotated[str | None, typer.Option(help="Only this component's lines.")] = None,
    as_json: Json = False,
) -> None:
    """All workers' log lines of one run, in the order of time. Example: brigade logs RUN --component order-volume"""
    session: Session = context.obj
    if component:
        component_named(component)
    lines = session.operations.lines(run_id, component)
    if as_json:
        print_json(lines)
        return
    for line in lines:
        out.print(run_logs.text_of(line), highlight=False, markup=False, soft_wrap=True)
        if trace := line.get("exception"):
            out.print(str(trace), highlight=False, markup=False, soft_wrap=True)


COMMANDS: tuple[Any, ...] = (run, runs, history, logs)
