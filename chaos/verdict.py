"""What became of the runs: counted by fault, and everything that must not be."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.drive import Trial
from chaos.mix import POISON, kinds
from chaos.pipeline import MEAL
from chaos.stage import NeverHappened, Stage
from contracts.message import Frozen
from orchestrator.dead_letters import dead_letters, let_go


class Tally(Frozen):
    """Of the runs of one style that were given one fault: `runs` of them, `injected` is those in which it happened."""

    fault: str
    runs: int = 0
    injected: int = 0
    recovered: int = 0
    degraded: int = 0
    failed: int = 0
    lost: int = 0
    twice: int = 0


@dataclass(frozen=True)
class Judged:
    """`end` is the column of the table; `wrong` says what must not be, if anything is."""

    end: str
    twice: bool
    wrong: str | None


def judge(trial: Trial, right_hash: str) -> Judged:
    row, published = trial.row, trial.published
    twice = len(published) > 1
    if row is None:
        return Judged("lost", twice, "has not ended")
    if row["status"] == "FAILED":
        wrong = "failed without a cause" if not row["cause"] else "failed and has published" if published else None
        return Judged("failed", twice, _late(trial) or wrong)
    if not published:
        return Judged("lost", twice, "succeeded and has not published")
    if twice:
        return Judged("recovered", twice, f"has published {len(published)} times")
    if row["degraded"]:
        return Judged("degraded", twice, _late(trial))
    wrong = None if published == (right_hash,) else f"published {published[0]}, which is not what it should"
    return Judged("recovered", twice, _late(trial) or wrong)


def tally(trials: Sequence[Trial], right_hash: str) -> list[Tally]:
    """By fault, in the order of the kinds."""
    counts = {kind.name: dict.fromkeys(Tally.model_fields.keys() - {"fault"}, 0) for kind in kinds()}
    for trial in trials:
        count, judged = counts[trial.kind.name], judge(trial, right_hash)
        count["runs"] += 1
        count["injected"] += trial.happened
        count[judged.end] += 1
        count["twice"] += judged.twice
    return [Tally(fault=name, **count) for name, count in counts.items() if count["runs"]]


def violations(stage: Stage, trials: Sequence[Trial]) -> list[str]:
    """Everything that must not be, in words. Waits until nothing is under way any more, as long as that may take."""
    found = []
    try:
        stage.until(
            "every queue empty and nothing in flight", lambda: not (stage.fleet.replace_dead() or stage.waiting())
        )
    except NeverHappened:
        found.append(f"messages are left: {stage.waiting()}")
    for trial in trials:
        trial.published = tuple(stage.published(trial.run_id))
        # Not before: a worker may be killed after its answer has ended the run.
        trial.happened = trial.injected is not None and trial.injected.happened()
        wrong = judge(trial, stage.right_hash).wrong
        if wrong:
            found.append(f"{trial.run_id} ({trial.kind.name}) {wrong}")
    try:
        stage.until("the end of every execution", lambda: not _executions_under_way(stage))
    except NeverHappened:
        found.append(f"executions are left: {', '.join(_executions_under_way(stage))}")
    return found + _wrong_dead_letters(stage, trials)


def _late(trial: Trial) -> str | None:
    assert trial.row is not None
    late = trial.row["ended_at"] > trial.row["deadline"]
    return "ended after its deadline" if late else None


def _executions_under_way(stage: Stage) -> list[str]:
    machine = stage.deployment.state_machine_arn(MEAL.name)
    listed = stage.aws.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    return [execution["name"] for execution in listed["executions"]]


def _wrong_dead_letters(stage: Stage, trials: Sequence[Trial]) -> list[str]:
    """Only runs that failed leave letters, and poison does."""
    poison = {trial.prefix for trial in trials if trial.kind.name == POISON}
    failed = {trial.run_id for trial in trials if trial.row and trial.row["status"] == "FAILED"}
    found = []
    for component in MEAL.components:
        held = dead_letters(stage.aws, stage.deployment, component)
        let_go(stage.aws, held)
        found += [
            f"a dead letter of {component.name} is of no run that failed: {one.letter.reason}"
            for one in held
            if one.letter.error != "PoisonMessage" and one.letter.run_id not in failed
        ]
        poison -= {prefix for prefix in poison for one in held if prefix in one.letter.body}
    return found + [f"the poison of {prefix} is in no dead-letter queue" for prefix in sorted(poison)]
