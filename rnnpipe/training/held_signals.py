"""Signals that wait for the end of a step."""

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """Holds SIGINT and SIGTERM back while a step is computed, as the state of its midst is none.

    It is a context. Who handled a signal before it gets it by `deliver`; one that comes while none
    is held back, and a second SIGINT, it gets at once. Signals that are ignored stay ignored, and
    threads but the main one receive none.

    Example:
        >>> with HeldSignals() as signals:
        ...     signals.hold()
        ...     signal.raise_signal(signal.SIGINT)
        ...     print(signals.received)
        ...     try:
        ...         signals.deliver()
        ...     except KeyboardInterrupt:
        ...         print("interrupted")
        2
        interrupted
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._holding = False
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "HeldSignals":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        self._holding = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.deliver()

    def hold(self) -> None:
        """Holds signals back from now on."""
        self._holding = True

    def release(self) -> None:
        """Delivers what was held back, and holds nothing back from now on."""
        self._holding = False
        self.deliver()

    def deliver(self) -> None:
        """Hands the signal that was held back, if any, to who handled it before."""
        if self.received is not None:
            number, self.received = self.received, None
            self._pass_on(number)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self._holding or (self.received is not None and number == signal.SIGINT):
            self.received = None
            self._pass_on(number)
        else:
            self.received = number

    def _pass_on(self, number: int) -> None:
        ours = signal.signal(number, self._handlers[number])
        try:
            signal.raise_signal(number)
        finally:
            signal.signal(number, ours)
