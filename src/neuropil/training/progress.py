"""Progress displays."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from markupsafe import Markup
from typing_extensions import override

from neuropil.lazy import import_name

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


# Entries of a record that are not figures of the epoch.
HIDDEN = {"epoch", "steps", "seconds", "lr"}
# Ten times per second, so each part has only its own style.
LINE = Markup(
    '<div class="neuropil" style="margin: 6px 10px; '
    'font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif)">{}</div>'
)
BAR = Markup(
    '<span style="display: inline-block; width: 240px; height: 8px; margin-right: 10px; '
    'border-radius: 4px; overflow: hidden; background: rgba(128, 128, 128, .3)">'
    '<span style="display: block; width: {:.1%}; height: 100%; '
    'background: var(--jp-brand-color1, #2196f3)"></span></span>'
)


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
        self.figures = figures_of(record)
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


class NotebookProgress(Progress):
    """A bar below the cell of a notebook; at the end, one line with the last figures.

    The output is replaced in place, so a saved notebook holds only the last line.
    """

    def __init__(self) -> None:
        self.handle: Any = None
        self.figures, self.epochs_done, self.began = "", 0, 0.0

    @override
    def start(self, status: Status) -> None:
        display = import_name("IPython.display.display")
        self.figures, self.epochs_done, self.began = "", 0, time.monotonic()
        self.handle = display(self.bar(status), raw=True, display_id=True)

    @override
    def update(self, status: Status) -> None:
        self.handle.update(self.bar(status), raw=True)

    @override
    def epoch(self, status: Status, record: Record) -> None:
        self.figures, self.epochs_done = figures_of(record), status.epoch

    @override
    def stop(self, status: Status) -> None:
        took = clock(time.monotonic() - self.began)
        line = f"epoch {status.epoch}/{status.epochs}{self.figures} · {took}"
        self.handle.update(in_two_forms(quiet(line), line), raw=True)

    def bar(self, status: Status) -> dict[str, str]:
        """Return the display of a running training: a bar with the remaining time."""
        line = f"{where(status)}{speed(status)}"
        last = f"epoch {self.epochs_done}{self.figures}" if self.figures else ""
        done = finished_part(status)
        html = Markup("{}{}<br>{}").format(BAR.format(done), line, quiet(last))
        return in_two_forms(html, f"{done:.0%} · {line}")


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def in_two_forms(html: Markup, text: str) -> dict[str, str]:
    """Return a display for notebooks, and for front ends without HTML."""
    return {"text/html": LINE.format(html), "text/plain": text}


def quiet(line: str) -> Markup:
    """Return a line of muted text."""
    return Markup('<span style="opacity: .65">{}</span>').format(line)


def finished_part(status: Status) -> float:
    """Return the finished part of a training, from 0 to 1."""
    inside = status.step / status.steps if status.steps else 0.0
    return min(1.0, max(0.0, status.epoch - 1 + inside) / max(1, status.epochs))


def figures_of(record: Record) -> str:
    """Return the figures of an epoch as text."""
    shown = (name for name in record if name not in HIDDEN)
    return "".join(f" · {name} {record[name]:.4g}" for name in shown)


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
    """Return the display for the `progress` option: True is a bar in a notebook, else lines.

    Raises:
        TypeError: If it is neither a `Progress` nor True, False or None.
    """
    if isinstance(progress, Progress):
        return progress
    if progress not in (True, False, None):
        raise TypeError(f"progress must be True, False or a Progress, got {progress!r}.")
    if not progress:
        return Progress()
    return NotebookProgress() if in_notebook() else TextProgress()
