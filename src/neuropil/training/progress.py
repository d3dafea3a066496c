"""Progress displays."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from typing_extensions import override

if TYPE_CHECKING:
    from neuropil.training.history import Record


@dataclass(frozen=True)
class Status:
    """Progress of a training.

    Attributes:
        epoch: The current epoch, from 1.
        epochs: The last epoch.
        step: Number of steps done in this epoch.
        steps: Number of steps per epoch; None if the data has no length.
        loss: Mean loss of this epoch so far; None before the first step.
        rate: Examples per second in this epoch.
        left: Estimated seconds until the end; None while unknown.
    """

    epoch: int
    epochs: int
    step: int = 0
    steps: int | None = None
    loss: float | None = None
    rate: float | None = None
    left: float | None = None


class Progress:
    """Base class of progress displays, which shows nothing: override its methods.

    The trainer calls `update` at most ten times per second, however fast the steps are.

    Example:
        >>> class Lines(Progress):
        ...     def epoch(self, status, record):
        ...         print(f"{status.epoch} of {status.epochs}: loss {record['loss']:.2f}")
        >>> Lines().epoch(Status(epoch=1, epochs=5), {"loss": 0.5})
        1 of 5: loss 0.50
    """

    def start(self, status: Status) -> None:
        """Run when the training begins.

        Args:
            status: The progress of the training.
        """

    def update(self, status: Status) -> None:
        """Run several times per second during the training.

        Args:
            status: The progress of the training.
        """

    def epoch(self, status: Status, record: Record) -> None:
        """Run at the end of each epoch.

        Args:
            status: The progress of the training.
            record: The figures of the epoch, as in `History`.
        """

    def stop(self, status: Status) -> None:
        """Run when the training has ended, with or without an error.

        Args:
            status: The progress of the training.
        """


class TextProgress(Progress):
    """One line that is redrawn in a terminal; a new line from time to time elsewhere.

    Args:
        stream: Output stream; standard error by default.
    """

    # Minimum seconds between lines outside a terminal, so that logs stay short.
    PAUSE = 1.0

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.redraws = self.stream.isatty()
        self.figures = ""
        self.written = 0.0
        self.width = 0

    @override
    def start(self, status: Status) -> None:
        self.figures, self.written, self.width = "", -self.PAUSE, 0

    @override
    def update(self, status: Status) -> None:
        if self.redraws:
            self.draw(f"{where(status)}{speed(status)}{self.figures}")

    @override
    def epoch(self, status: Status, record: Record) -> None:
        shown = (n for n in record if n not in {"epoch", "steps", "seconds", "lr"})
        self.figures = "".join(f" · {name} {record[name]:.4g}" for name in shown)
        last = status.epoch == status.epochs
        if self.redraws:
            return
        if last or time.monotonic() - self.written >= self.PAUSE:
            self.written = time.monotonic()
            self.stream.write(f"epoch {status.epoch}/{status.epochs}{self.figures}\n")
            self.stream.flush()

    @override
    def stop(self, status: Status) -> None:
        if self.redraws:
            self.draw(f"epoch {status.epoch}/{status.epochs}{self.figures}")
            self.stream.write("\n")
            self.stream.flush()

    def draw(self, line: str) -> None:
        """Overwrite the current line, cut to the terminal width so that it never wraps."""
        line = line[: shutil.get_terminal_size().columns - 1]
        self.stream.write(f"\r{line.ljust(self.width)}")
        self.stream.flush()
        self.width = len(line)


def where(status: Status) -> str:
    """Return the current epoch and step as text."""
    of = "" if status.steps is None else f"/{status.steps}"
    return f"epoch {status.epoch}/{status.epochs} · step {status.step}{of}"


def speed(status: Status) -> str:
    """Return the loss, the rate and the remaining time as text, without unknown values."""
    loss = "" if status.loss is None else f" · loss {status.loss:.4g}"
    rate = "" if status.rate is None else f" · {status.rate:,.0f} examples/s"
    return f"{loss}{rate}{'' if status.left is None else f' · {clock(status.left)} left'}"


def clock(seconds: float) -> str:
    """Return a duration as ``1:05`` or ``2:00:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def as_progress(progress: Any) -> Progress:
    """Return the display for the `progress` option of the trainer.

    Raises:
        TypeError: If it is neither a `Progress` nor True, False or None.
    """
    if isinstance(progress, Progress):
        return progress
    if progress not in (True, False, None):
        raise TypeError(f"progress must be True, False or a Progress, got {progress!r}.")
    return TextProgress() if progress else Progress()
