"""Which process this is, in words that another one can look up: where no lock can be asked."""

import os
import socket
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@cache
def _place() -> str:
    """Where the numbers of processes are unique: one boot of one container, as Linux knows it.

    A host's name is not enough: that of a container changes with each start, or is the same in all.
    """
    try:
        boot = _BOOT.read_text(encoding="ascii").split("-")[0]
        return f"{boot}.{_NAMESPACE.stat().st_ino}"
    except OSError:  # another system
        return socket.gethostname()


def owner() -> str:
    """The place and the number of this process, for names of files and contents of locks."""
    return f"{_place()}-{os.getpid()}"


def is_dead(name: str) -> bool:
    """Whether an owner is known to have ended; one of another place is not known of.

    Example:
        >>> is_dead(owner()), is_dead("elsewhere-1")
        (False, False)
    """
    place, _, pid = name.rpartition("-")
    if place != _place() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
