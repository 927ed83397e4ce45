"""What lies in the dead-letter queues, and what can be done with it.

SQS has no way to look without taking: messages are received for as long as the look takes, and come back by themselves.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from contracts.component import Component
from contracts.errors import BrigadeError
from contracts.message import Frozen
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.redrive import redrive_run

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOOK = 20
"""Seconds a message stays out of sight for others while it is looked at."""


class DeadLetter(Frozen):
    """A message, and why it is here. Times are UTC; `run_id` is None when the body names none.

    `step` is the local key of the step that failed, with its attempts over all generations; None when the message never came
    to a step. `source` is who sent it by its own word, `sender` by that of SQS.
    """

    component: str
    version: str
    message_id: str
    error: str
    reason: str
    first_seen: datetime
    receives: int
    attempts: int
    step: str | None
    run_id: str | None
    source: str
    sender: str | None
    body: str


@dataclass(frozen=True)
class Held:
    """A dead letter that was received and must be let go or deleted."""

    letter: DeadLetter
    queue_url: str
    dead_letter_url: str
    receipt: str


def dead_letters(aws: Aws, deployment: Deployment, component: Component) -> list[Held]:
    """Every message in the component's dead-letter queues, oldest first. `let_go` those that stay."""
    found = [held for version in component.versions for held in _receive_all(aws, deployment, component, version)]
    return sorted(found, key=lambda held: held.letter.first_seen)


def let_go(aws: Aws, held: list[Held]) -> None:
    for one in held:
        aws.sqs.change_message_visibility(QueueUrl=one.dead_letter_url, ReceiptHandle=one.receipt, VisibilityTimeout=0)


def purge(aws: Aws, held: list[Held]) -> None:
    for one in held:
        aws.sqs.delete_message(QueueUrl=one.dead_letter_url, ReceiptHandle=one.receipt)


class Redriven(Frozen):
    """What became of the letters, by message id. Those that stay could not be redriven."""

    gone: dict[str, str]
    stay: dict[str, str]


def redrive(aws: Aws, connection: Connection, deployment: Deployment, held: list[Held]) -> Redriven:
    """Send each message where it came from, or redrive its run when that has failed.

    A failed run takes no messages: redriving it sends the step's command anew, and the dead letter has done its duty.
    """
    gone: dict[str, str] = {}
    stay: dict[str, str] = {}
    redriven: set[str] = set()
    for one in held:
        run_id, message_id = one.letter.run_id, one.letter.message_id
        try:
            if run_id and run_id not in redriven and _status(connection, run_id) == "FAILED":
                redrive_run(aws, connection, deployment, run_id)
                redriven.add(run_id)
        except BrigadeError as error:
            stay[message_id] = str(error)
            let_go(aws, [one])
            continue
        if run_id in redriven:
            gone[message_id] = f"redrove run {run_id}"
        else:
            aws.sqs.send_message(QueueUrl=one.queue_url, MessageBody=one.letter.body)
            gone[message_id] = "sent back to its queue"
        aws.sqs.delete_message(QueueUrl=one.dead_letter_url, ReceiptHandle=one.receipt)
    return Redriven(gone=gone, stay=stay)


def _status(connection: Connection, run_id: str) -> str | None:
    rows = fetch_all(connection, "SELECT status FROM runs WHERE run_id = %(run_id)s", {"run_id": run_id})
    return str(rows[0]["status"]) if rows else None


def _receive_all(aws: Aws, deployment: Deployment, component: Component, version: str) -> list[Held]:
    """Until a receive brings nothing new: when there are so many that the first come again, the last receipt counts."""
    url = deployment.dead_letter_url(component, version)
    found: dict[str, Held] = {}
    while True:
        messages = aws.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            VisibilityTimeout=LOOK,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        known = len(found)
        for message in messages:
            letter = _letter(component, version, message)
            queue_url = deployment.queue_url(component, version)
            found[letter.message_id] = Held(letter, queue_url, url, message["ReceiptHandle"])
        if len(found) == known:
            return list(found.values())


def _letter(component: Component, version: str, message: "MessageTypeDef") -> DeadLetter:
    about = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return DeadLetter(
        component=component.name,
        version=version,
        message_id=message["MessageId"],
        error=about.get("error", "unknown"),
        reason=about.get("reason", "received more often than the queue allows, and no worker could say why"),
        first_seen=datetime.fromtimestamp(float(about.get("firstSent", sent)), UTC),
        receives=int(about.get("receives", 0)),
        attempts=int(about.get("attempts", 0)),
        step=about.get("step"),
        run_id=_run_of(message["Body"]),
        source=about.get("source", "unknown"),
        sender=about.get("sender"),
        body=message["Body"],
    )


class _OfARun(Frozen):
    runid: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")  # the database is asked about it, and refuses some characters


def _run_of(body: str) -> str | None:
    """The body may be anything: pydantic's parser stops where it is nested too deeply."""
    try:
        return _OfARun.model_validate_json(body).runid
    except ValidationError:
        return None
