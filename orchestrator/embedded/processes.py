"""Processes in the background: started with a log, found again by another command, stopped with all they started.

A process is recognised by its pid and its start time, so a pid that was given to somebody else is not mistaken for it.
Everything it starts inherits BRIGADE_PROCESS, which finds the descendants of a process that is itself gone.
"""

import contextlib
import signal
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from contracts.errors import BrigadeError
from contracts.message import Frozen
from orchestrator.embedded.home import Home

MARK = "BRIGADE_PROCESS"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""What forecasts shares the machine's cores; and sums in one order give the same forecast everywhere."""

CLOCK_TOLERANCE = 2.0
"""Seconds by which two readings of one start time may differ: they are computed from the boot time, which is rounded."""


class StackFailed(BrigadeError):
    """A process of the embedded stack ended or did not become ready. The message ends with its last log lines."""


class NotReady(Exception):
    """Raised by a probe: ask again."""


class ProcessRecord(Frozen):
    """What another command needs to know of a process. `started` is in seconds since the epoch."""

    name: str
    pid: int
    started: float
    mark: str
    argv: tuple[str, ...]
    log: Path
    """Shared with those of the same name before it, whose lines end at `log_from`, in bytes."""
    log_from: int = 0
    path: Path
    """The file that holds this record."""
    url: str = ""
    """Where it answers, if it serves something."""
    code: str = ""
    """Digest of what it was started with, code and addresses, if that may change while it runs."""
    stop_signal: int = signal.SIGTERM


def start_process(
    home: Home,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    url: str = "",
    code: str = "",
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> ProcessRecord:
    """Start a process that outlives this one, in a session of its own; its output is appended to `logs/NAME.log`.

    Its environment is `env` alone, plus BRIGADE_PROCESS. Raises StackFailed when it cannot be started at all.
    """
    mark = uuid.uuid4().hex
    log = home.logs / f"{name}.log"
    with log.open("ab") as output:
        log_from = output.tell()
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the program is the caller's choice
                list(argv),
                env={**env, MARK: mark},
                cwd=home.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user and _group_of(user),
                extra_groups=None if user is None else [],
            )
        except OSError as error:
            raise StackFailed(f"cannot start {name} ({argv[0]}): {error.strerror}") from error
    started = psutil.Process(process.pid).create_time()
    # Meant to outlive this object, whose destructor would otherwise warn of it. The record is how it is stopped.
    process.returncode = 0
    record = ProcessRecord(
        name=name,
        pid=process.pid,
        started=started,
        mark=mark,
        argv=tuple(argv),
        log=log,
        log_from=log_from,
        path=home.records / f"{name}.json",
        url=url,
        code=code,
        stop_signal=stop_signal,
    )
    replace_file(record.path, record.model_dump_json())
    return record


def read_records(home: Home) -> tuple[ProcessRecord, ...]:
    """The records of every process started and not stopped, by name. It may have ended by itself: see `is_alive`."""
    files = sorted(home.records.glob("*.json"))
    return tuple(ProcessRecord.model_validate_json(file.read_bytes()) for file in files)


def find_record(home: Home, name: str) -> ProcessRecord | None:
    return next((record for record in read_records(home) if record.name == name), None)


def is_alive(record: ProcessRecord) -> bool:
    """Whether this very process runs: not one that got its pid later, nor a zombie nobody has waited for."""
    process = _find(record)
    try:
        return process is not None and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop_process(record: ProcessRecord, grace: float = 20.0) -> None:
    """`stop_processes` for one."""
    stop_processes((record,), grace)


def stop_processes(records: Sequence[ProcessRecord], grace: float = 20.0) -> None:
    """Ask all to stop, wait up to `grace` seconds, then kill what is left of them and of their descendants.

    Removes the records. Does nothing to a process that has ended and left nothing behind.
    """
    family = _family(records)
    asked = [(record, process) for record in records if (process := _find(record))]
    for record, process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(record.stop_signal)
    if asked:
        psutil.wait_procs(family, timeout=grace)
    # They may have started others while they were stopping.
    family = _family(records) | {member for member in family if member.is_running()}
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=grace)
    for record in records:
        record.path.unlink(missing_ok=True)


def wait_until_ready(record: ProcessRecord, probe: Callable[[], None], timeout: float = 60.0) -> None:
    """Call `probe` until it does not raise NotReady.

    Raises StackFailed, with the end of the log, when the process ends first or `timeout` seconds have passed.
    """

    def check() -> None:
        if not is_alive(record):
            raise StackFailed(
                f"{record.name} ended while it started; its log {record.log} ends:\n{last_lines(record.log, record.log_from)}"
            )
        probe()

    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(NotReady),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(timeout),
            reraise=True,
        ):
            with attempt:
                check()
    except NotReady as error:
        end = last_lines(record.log, record.log_from)
        raise StackFailed(
            f"{record.name} was not ready within {timeout:g} s ({error}); its log {record.log} ends:\n{end}"
        ) from error


def last_lines(log: Path, since: int = 0, count: int = 15) -> str:
    """The end of a log from a byte on, indented; a line saying so when nothing is there."""
    with log.open("rb") as file:
        file.seek(since)
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line}" for line in lines) or "  (nothing was written)"


def replace_file(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _find(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        return process if abs(process.create_time() - record.started) < CLOCK_TOLERANCE else None
    except psutil.NoSuchProcess:
        return None


def _family(records: Sequence[ProcessRecord]) -> set[psutil.Process]:
    """The processes and their descendants. PostgreSQL's overwrite their environment, so children are asked for as well."""
    marks = {record.mark for record in records}
    family = {candidate for candidate in psutil.process_iter() if _mark_of(candidate) in marks}
    for process in filter(None, map(_find, records)):
        with contextlib.suppress(psutil.NoSuchProcess):
            family |= {process, *process.children(recursive=True)}
    return family


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
