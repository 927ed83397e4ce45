"""What tests ask of processes."""

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more, even if nobody has waited for it: some containers have no init that would."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
