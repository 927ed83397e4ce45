"""contracts check, status, render: do squads still understand each other?"""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES
from contracts.versions import stem
from orchestrator import render as rendering
from orchestrator.cli.session import out, print_json, say
from orchestrator.compatibility import schemas
from orchestrator.compatibility.check import Break, Change, compare, failing
from orchestrator.compatibility.revisions import LAST_COMMIT, default_revision, documents_of
from orchestrator.compatibility.status import status as versions_of

contracts = typer.Typer(
    name="contracts", help="Messages between squads: what changed, who breaks, which versions are used."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Against = Annotated[
    str, typer.Option(help="A git revision. Without it: the latest release, else the commit before HEAD.")
]


@contracts.command()
def check(against: Against = "", as_json: Json = False) -> None:
    """Compare the messages with an earlier revision's, and end with 1 when a change breaks a consumer.

    Backward: a new consumer reads old messages. Forward: an old consumer reads new ones. A break is excused by a new
    version of its message. Example: brigade contracts check --against HEAD
    """
    revision = against or default_revision()
    changes = compare(documents_of(revision), schemas.documents(PIPELINES))
    broken = failing(changes)
    if as_json:
        print_json({"against": revision, "compatible": not broken, "changes": [_as_json(each) for each in changes]})
    else:
        for change in changes:
            say(f"{change.message}: {change.how}, {_directions(change)}")
            for each in change.breaks:
                say(escape(f"  {_sentence(each)}"))
        verdict = f"{len(broken)} without a new version" if broken else "none without a new version"
        say(f"messages changed since {revision}: {len(changes)}; breaks: {verdict}")
        if broken:
            say('give a second version, and the first until all have moved: docs/contracts.md, "A break that must be"')
        if revision == LAST_COMMIT:
            say("no release is tagged, so this is the last commit alone: --against origin/main compares a branch")
    if broken:
        raise typer.Exit(1)


@contracts.command()
def status(
    message: Annotated[str, typer.Argument(metavar="[MESSAGE]", help="Only this event's versions.")] = "",
    against: Against = "",
    as_json: Json = False,
) -> None:
    """Show who gives and who takes which version of each event, and which version can go.

    A version can go when a later one is given and nobody takes it, now or at the earlier revision, which may still be
    deployed. Example: brigade contracts status order-volume-forecasted
    """
    revision = against or default_revision()
    versions = versions_of(documents_of(revision), schemas.documents(PIPELINES))
    if message:
        known = dict.fromkeys(stem(each.message) for each in versions)
        asked = stem(message) or message
        if asked not in known:
            raise BadRequest(f"no component gives an event {message}: there is {', '.join(known)}")
        versions = tuple(each for each in versions if stem(each.message) == asked)
    if as_json:
        print_json([{**asdict(each), "may_go": each.may_go} for each in versions])
        return
    table = Table("message", "given by", "taken by", "version is")
    for each in versions:
        takers = ", ".join((*each.takers, *(["readers outside"] if each.announced else [])))
        table.add_row(each.message, f"{each.squad} ({each.giver})", takers or "nobody", each.verdict)
    out.print(table)


@contracts.command()
def render(as_json: Json = False) -> None:
    """Write the committed schemas, asyncapi.yaml and catalogue again. Example: brigade contracts render"""
    changed = [path.name for path in (*schemas.write(PIPELINES), *rendering.write_for_squads(PIPELINES))]
    if as_json:
        print_json({"changed": changed})
    else:
        say(f"wrote {', '.join(changed)}" if changed else "everything is as it should be")


def _sentence(each: Break) -> str:
    where = each.path or "the message"
    readers = "new readers of old messages" if each.direction == "backward" else "old readers of new messages"
    excuse = f" (replaced by {each.replaced_by})" if each.replaced_by else ""
    return f"{each.direction}: {where} {each.what} [{each.kind}]; breaks {readers}: {', '.join(each.consumers)}{excuse}"


def _directions(change: Change) -> str:
    words = [f"{d} {'compatible' if change.compatible(d) else 'broken'}" for d in ("backward", "forward")]
    return ", ".join(words)


def _as_json(change: Change) -> dict[str, object]:
    return {**asdict(change), "backward": change.compatible("backward"), "forward": change.compatible("forward")}
