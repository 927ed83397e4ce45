"""up, down, status, deploy, worker."""

import os
from datetime import UTC
from typing import Annotated

import typer
from rich.table import Table

from contracts.component import Component
from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES, component_named, pipeline_named, workers
from orchestrator.cli.session import Session, out, print_json, say
from orchestrator.database import NotDeployed, fetch_all
from orchestrator.deploy import Deployment, replaced_at
from orchestrator.deploy import deploy as apply_template
from orchestrator.embedded import localstack, stack
from orchestrator.embedded.forecast_api import is_wanted, start_forecast_api
from orchestrator.fleet import start_fleet, worker_argv, worker_environment

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


COMPOSED = "BRIGADE_COMPOSED"
"""Set in the containers of docker-compose.yml."""


def refuse_composed() -> None:
    """Raises BadRequest where the stack is not for this command line to start, stop or see."""
    if os.environ.get(COMPOSED):
        raise BadRequest(
            "the stack is Compose's: outside of its containers `docker compose up -d --wait` starts it, `docker compose ps` "
            "shows it, and `docker compose down` stops it"
        )


def up(
    context: typer.Context,
    pipeline: Annotated[
        list[str] | None, typer.Option(help="Start the workers of this pipeline only; may be given again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the embedded stack and a worker for every component; return when all are healthy.

    Workers whose code has changed are restarted, and all of them after LocalStack was. AWS_ENDPOINT_URL and DATABASE_URL each
    replace a part of the stack.
    Example: brigade up
    """
    session: Session = context.obj
    refuse_composed()
    chosen = tuple(pipeline_named(name) for name in pipeline) if pipeline else PIPELINES
    with session.home.exclusive("up"):
        was_running = stack.status(session.home).running
        try:
            _start(session, workers(chosen))
        except BaseException:
            if not was_running:
                stack.stop(session.home)
            raise
    if as_json:
        print_json({"home": str(session.home.path), **session.endpoints.model_dump()})
    else:
        say(f"up: logs are in {session.home.logs}; `brigade down` stops it")


def _start(session: Session, wanted: tuple[tuple[Component, str], ...]) -> None:
    with_forecast_api = is_wanted(component for component, _ in wanted)
    say("starting LocalStack and PostgreSQL")
    session.__dict__["endpoints"] = session.use(stack.start(session.home))
    if with_forecast_api:
        say("starting Amazon Forecast's API (`brigade up --pipeline order-simulation` does without)")
        session.__dict__["endpoints"] = session.use(start_forecast_api(session.home, session.endpoints))
    say("deploying")
    deployment = apply_template(session.aws, session.connection, PIPELINES, session.prefix)
    say("starting workers")
    start_fleet(
        session.home,
        session.connection,
        session.endpoints,
        deployment,
        wanted,
        lambda line: say(f"  {line}"),
    )


def down(context: typer.Context, as_json: Json = False) -> None:
    """Stop the workers and the embedded stack. Example: brigade down

    The database stays. LocalStack's files are gone, published forecasts among them: `brigade forecast` saves one before.
    """
    session: Session = context.obj
    refuse_composed()
    with session.home.exclusive("down"):
        names = [process.record.name for process in stack.status(session.home).processes]
        stack.stop(session.home)
    if as_json:
        print_json({"stopped": names})
    else:
        say(what_stopped(names))


def what_stopped(names: list[str]) -> str:
    """With what that means for the user's data."""
    if not names:
        return "nothing was running"
    told = f"stopped {', '.join(names)}"
    if localstack.NAME not in names:
        return told
    return f"{told}\nLocalStack's files are gone, published forecasts among them; the database stays"


def status(context: typer.Context, as_json: Json = False) -> None:
    """Say what runs, and where. Ends with 1 when something that was started is gone. Example: brigade status --json"""
    session: Session = context.obj
    refuse_composed()
    found = stack.status(session.home)
    rows = [
        {"name": p.record.name, "pid": p.record.pid, "alive": p.alive, "log": str(p.record.log)}
        for p in found.processes
    ]
    if as_json:
        endpoints = found.endpoints.model_dump() if found.endpoints else None
        print_json({"home": str(session.home.path), "endpoints": endpoints, "processes": rows})
    elif not rows:
        say("nothing is running: `brigade up` starts it")
    else:
        if found.endpoints:
            say(f"AWS endpoint {found.endpoints.aws_endpoint_url}, database {found.endpoints.database_url}")
        table = Table("name", "pid", "alive", "log")
        for row in rows:
            table.add_row(str(row["name"]), str(row["pid"]), "yes" if row["alive"] else "[red]no[/]", str(row["log"]))
        out.print(table)
    if not all(row["alive"] for row in rows):
        raise typer.Exit(1)


def deploy(
    context: typer.Context,
    keep_newer: Annotated[
        bool, typer.Option("--keep-newer", help="Change nothing when other code was deployed after this code had been.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Apply the template, the tables and the routing to the configured endpoint. Example: brigade deploy

    BRIGADE_PREFIX names everything, `brigade` by default. Runs under way keep what they started with. What starts by itself
    says --keep-newer, so that only somebody who says `brigade deploy` goes back to older code.
    """
    session: Session = context.obj
    kept = _newer(session) if keep_newer else None
    deployment = kept or apply_template(session.aws, session.connection, PIPELINES, session.prefix)
    digests = {pipeline.name: pipeline.graph.digest for pipeline in PIPELINES}
    if as_json:
        about = {"prefix": session.prefix, "kept_newer": kept is not None, "outputs": deployment.outputs}
        print_json(about if kept else about | {"routing": digests})
    elif not kept:
        for name, digest in digests.items():
            say(f"deployed {name}, routing {digest}, to {session.endpoints.aws_endpoint_url}")


def _newer(session: Session) -> Deployment | None:
    """What was deployed after this code had been. Raises NotDeployed when that is gone."""
    since = replaced_at(session.connection, PIPELINES, session.prefix)
    if since is None:
        return None
    when = f"{since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    try:
        newer = session.deployment
    except NotDeployed as error:
        raise NotDeployed(
            f"other code was deployed after this, on {when}, and its stack is gone: deploy that code again, or go back to this "
            "with `brigade deploy`"
        ) from error
    say(f"left as it is: other code was deployed after this, on {when}; `brigade deploy` goes back to this")
    return newer


def worker(
    context: typer.Context,
    component: Annotated[str, typer.Argument(help="For example order-volume.")],
    version: Annotated[str | None, typer.Option(help="Of the component; its first by default.")] = None,
) -> None:
    """Run one component's worker in the foreground until SIGTERM. Its log lines are JSON.

    Example: brigade worker order-simulator --version v2
    """
    session: Session = context.obj
    found: Component = component_named(component)
    chosen = version or found.versions[0]
    if chosen not in found.versions:
        raise BadRequest(f"{component} has no version '{chosen}': choose {' or '.join(found.versions)}")
    fetch_all(session.connection, "SELECT 1 AS found FROM runs LIMIT 1")
    environment = worker_environment(session.endpoints, session.deployment, found, chosen)
    argv = worker_argv(found, chosen)
    os.execve(argv[0], argv, environment)  # noqa: S606 - this process becomes the worker, so signals reach it


COMMANDS = (up, down, status, deploy, worker)
