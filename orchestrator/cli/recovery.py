"""redrive, stop and dlq: getting runs and messages going again, or no further."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from contracts.errors import BadRequest, BrigadeError
from contracts.pipelines import component_named
from orchestrator import dead_letters
from orchestrator.cli.session import Session, out, print_json, say
from orchestrator.dead_letters import Held
from orchestrator.redrive import UnderWay
from orchestrator.stop import STOPPED

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Component = Annotated[str, typer.Argument(help="For example order-volume.")]

dlq = typer.Typer(help="Look into the dead-letter queues and empty them.", no_args_is_help=True, rich_markup_mode=None)


def redrive(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]")] = None,
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished",
            help="All runs under way, and those that failed although no step did; not those somebody stopped.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --unfinished: list them, oldest first, and do nothing.")
    ] = False,
    style: Annotated[str | None, typer.Option(help="The run's own by default.")] = None,
    as_json: Json = False,
) -> None:
    """Set failed or stuck runs going again and follow them; what is done is not done again.

    Ends with 1 when one of them fails. Example: brigade redrive RUN --style choreographed
    """
    session: Session = context.obj
    if (run_id is None) == (not unfinished):
        raise BadRequest("name one run, or say --unfinished")
    if dry_run:
        _list_unfinished(session, run_id, as_json)
        return
    if run_id:
        session.operations.redrive(run_id, style)
        say(f"redrove {run_id}")
        going, refused = [run_id], False
    else:
        going, refused = _redrive_unfinished(session, style)
    ended = [session.follow(run) for run in going]
    if as_json:
        print_json([{"run_id": last.run_id, "status": last.status, "cause": last.cause} for last in ended])
    for last in ended:
        say(f"{last.run_id} {last.status}: {last.cause or 'every step is done'}")
    if refused or any(last.status != "SUCCEEDED" for last in ended):
        raise typer.Exit(1)


def _list_unfinished(session: Session, run_id: str | None, as_json: bool) -> None:
    if run_id:
        raise BadRequest("--dry-run lists what --unfinished would redrive: `brigade history RUN` shows one run")
    found = session.operations.unfinished()
    if as_json:
        print_json(found)
        return
    for run in found:
        out.print(run, highlight=False)
    say(f"{len(found)} would be redriven")


def _redrive_unfinished(session: Session, style: str | None) -> tuple[list[str], bool]:
    """The runs that are going now, and whether one could not be set going: the others are not held up by it."""
    going, refused = [], False
    for run in session.operations.unfinished():
        try:
            session.operations.redrive(run, style)
        except UnderWay:
            say(f"{run} is under way")
        except BrigadeError as error:
            say(f"error: {run}: {error}")
            refused = True
            continue
        else:
            say(f"redrove {run}")
        going.append(run)
    return going, refused


def stop(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    as_json: Json = False,
) -> None:
    """End a run that is under way; a redrive goes on with it. Example: brigade stop 2026-11-25-orchestrated-1a2b3c"""
    session: Session = context.obj
    session.operations.stop(run_id)
    if as_json:
        print_json({"run_id": run_id, "status": "FAILED", "cause": STOPPED})
    else:
        say(f"stopped {run_id}: `brigade redrive {run_id}` goes on with it")


@dlq.command("list")
def list_letters(context: typer.Context, component: Component, as_json: Json = False) -> None:
    """List a component's dead letters with their reasons. Example: brigade dlq list order-volume"""
    session: Session = context.obj
    held = _look(session, component)
    if as_json:
        print_json([one.letter.model_dump(mode="json", exclude={"body"}) for one in held])
        return
    table = Table("message", "version", "first seen (UTC)", "attempts", "run", "step", "error", "reason")
    for letter in (one.letter for one in held):
        first = f"{letter.first_seen:%Y-%m-%d %H:%M:%S}"
        run, step = letter.run_id or "", letter.step or ""
        cells = (letter.message_id, letter.version, first, letter.attempts, run, step, letter.error, letter.reason)
        table.add_row(*(Text(str(cell)) for cell in cells))
    out.print(table)


@dlq.command()
def show(
    context: typer.Context,
    component: Component,
    message: Annotated[str | None, typer.Argument(help="Its id; all of them by default.")] = None,
    as_json: Json = False,
) -> None:
    """Show dead letters whole: reason, first seen, attempts, run, body. Example: brigade dlq show order-volume"""
    session: Session = context.obj
    letters = [one.letter for one in _look(session, component) if message in (None, one.letter.message_id)]
    if message and not letters:
        raise BadRequest(f"{component} has no dead letter {message}: `brigade dlq list {component}` lists them")
    if as_json:
        print_json([letter.model_dump(mode="json") for letter in letters])
        return
    for letter in letters:
        for name, value in letter.model_dump(mode="json").items():
            out.print(f"{name:11} {'-' if value is None else value}", highlight=False, markup=False, soft_wrap=True)
        out.print()


@dlq.command("redrive")
def redrive_letters(context: typer.Context, component: Component, as_json: Json = False) -> None:
    """Send dead letters back, or redrive their runs when these have failed. Example: brigade dlq redrive order-volume

    Ends with 1 when one of them has to stay.
    """
    session: Session = context.obj
    held = dead_letters.dead_letters(session.aws, session.deployment, component_named(component))
    outcome = dead_letters.redrive(session.aws, session.connection, session.deployment, held)
    if as_json:
        print_json(outcome)
    for message, became in (outcome.gone | outcome.stay).items():
        say(f"{message} {became}")
    say(f"{len(outcome.gone)} dead letters were redriven, {len(outcome.stay)} stay")
    if outcome.stay:
        raise typer.Exit(1)


@dlq.command()
def purge(
    context: typer.Context,
    component: Component,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a component's dead letters for good. Example: brigade dlq purge order-volume --yes"""
    session: Session = context.obj
    held = dead_letters.dead_letters(session.aws, session.deployment, component_named(component))
    sure = yes or not held
    try:
        sure = sure or typer.confirm(f"delete {len(held)} dead letters of {component} for good?", err=True)
    finally:
        if not sure:  # also when nobody answered
            dead_letters.let_go(session.aws, held)
    if not sure:
        raise typer.Exit(1)
    dead_letters.purge(session.aws, held)
    if as_json:
        print_json({"deleted": len(held)})
    else:
        say(f"deleted {len(held)} dead letters")


def _look(session: Session, component: str) -> list[Held]:
    held = dead_letters.dead_letters(session.aws, session.deployment, component_named(component))
    dead_letters.let_go(session.aws, held)
    return held


COMMANDS = (redrive, stop)
