"""Handling of SIGINT and SIGTERM between two steps."""

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
    """Records SIGINT and SIGTERM, so that the current step can finish.

    A second signal takes effect at once. If the signal also ended a worker of a torch
    `DataLoader`, this is an interruption, too. Outside the main thread, where Python does not
    allow signal handlers, nothing changes.

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

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        for number, handler in self.before.items():
            # None means a handler that was not set by Python and cannot be restored.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self.before = {}
        # Torch may report it at any line.
        if self.requested and str(error).startswith("DataLoader worker"):
            raise KeyboardInterrupt from None

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Record the first signal; raise at the second.

        Raises:
            KeyboardInterrupt: If a signal was received before.
        """
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self.notify()
