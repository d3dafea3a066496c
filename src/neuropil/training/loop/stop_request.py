"""Ending a training between two steps, never inside one."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, Self, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@final
class Interruption:
    """Remembers SIGINT and SIGTERM until the step under way is finished.

    A second signal is obeyed at once. Outside the main thread, where Python lets nobody handle
    signals, nothing changes.

    Args:
        notify: Called when a signal arrives.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        self.notify = notify
        self.requested = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.getsignal(number) for number in SIGNALS}
            for number in SIGNALS:
                signal.signal(number, self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            # None stands for a handler that Python did not set and cannot set again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self.before = {}

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Remember the first signal, obey the second.

        Raises:
            KeyboardInterrupt: When a signal came before.
        """
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self.notify()
