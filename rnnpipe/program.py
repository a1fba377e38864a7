"""How a command ends: its exit code, one message, and nothing left behind after a signal."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.output import OUTPUT, discard_output, prepare_streams, write_error

_AGAIN_SECONDS = 0.01
_SIGPIPE = 128 + 13  # the exit code of a program that is killed by a closed pipe
_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def run_program(act: Callable[[], int | None], name: str = "rnnpipe") -> int:
    """Runs a command and returns its exit code, without a traceback for what users can mend.

    It is 2 after a `UserError` and where a file cannot be read or written, 141 where the reader of
    the output has ended, 130 after SIGINT (Ctrl-C) and 143 after SIGTERM, as `docker stop`, systemd
    and schedulers send it. Both signals raise `KeyboardInterrupt` in the command, which cleans up;
    the message says how to go on, by the first note of that exception.

    Args:
        act: the command; None counts as 0.
        name: of the program, for messages.

    Example:
        >>> def act():
        ...     raise UserError("model.units", "a positive integer", "-3", "write e.g. 256")
        >>> run_program(act)
        2
    """
    prepare_streams()
    with _receiving_signals() as received:
        try:
            return act() or 0
        except BaseException as fault:
            # Of the exception that a signal raises, a library may make another one.
            if received or isinstance(fault, KeyboardInterrupt):
                number = received[0] if received else signal.SIGINT
                notes = getattr(fault, "__notes__", ["run the same command again"])
                write_error(f"{_WORDS[number]}; {notes[0]}", name)
                return 128 + number
            return _report(fault, name)


def _report(fault: BaseException, name: str) -> int:
    """Reports what users can mend, and returns the exit code; raises all else again."""
    if isinstance(fault, UserError):
        write_error(str(fault), name)
        return 2
    if isinstance(fault, BrokenPipeError):
        discard_output()  # the reader has closed the pipe
        return _SIGPIPE
    if isinstance(fault, OSError) and fault.filename is not None:
        if fault.filename == OUTPUT:
            discard_output()
        write_error(f"{fault.filename}: {fault.strerror}", name)
        return 2
    raise fault


def _ignore_interrupts() -> None:
    """Has Ctrl-C do nothing from now on: the command has ended, and so does the interpreter.

    It would be raised in what libraries have registered for the exit, and printed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _receiving_signals() -> Iterator[list[signal.Signals]]:
    """Yields the signals received so far, each of which has raised `KeyboardInterrupt`.

    Those that are ignored, as by `nohup` and for jobs in the background, stay ignored. Threads but
    the main one receive none.
    """
    received: list[signal.Signals] = []

    def receive(number: int, frame: Any) -> None:
        if received and number == signal.SIGTERM:
            return  # it is cleaned up already; Ctrl-C ends that too
        received.append(signal.Signals(number))
        raise KeyboardInterrupt

    timers: list[threading.Timer] = []
    hook = sys.unraisablehook

    def send_again(lost: Any) -> None:
        """What is raised in a destructor, or in a callback of C, is lost, and may be so twice."""
        if lost.exc_type is not KeyboardInterrupt or not (received or timers):
            hook(lost)
        elif received:
            timers.append(threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), received.pop())))
            timers[-1].start()

    before = {}
    try:
        for number in _WORDS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, receive)
    except ValueError:  # this is another thread
        before.clear()
    sys.unraisablehook = send_again
    try:
        yield received
    finally:
        # The last that is registered comes first at the exit of the interpreter.
        atexit.unregister(_ignore_interrupts)
        atexit.register(_ignore_interrupts)
        sys.unraisablehook = hook
        for timer in timers:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
