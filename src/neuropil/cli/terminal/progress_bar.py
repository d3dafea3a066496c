"""Progress bar of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.training.progress import HIDDEN, Progress, Status, as_progress, clock

if TYPE_CHECKING:
    from neuropil.training.history import Record


def progress_for(*, quiet: bool) -> Progress:
    """Return a bar for a terminal or a notebook, lines elsewhere, and no output if quiet."""
    import sys

    if quiet:
        return Progress()
    return Bar() if sys.stderr.isatty() else as_progress(progress=True)


class Bar(Progress):
    """One bar for the whole training; at the end it shows the figures of the last epoch."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        from neuropil.cli.console import console

        self.bar = RichProgress(
            TextColumn("{task.fields[where]}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console(error=True),
            # The trainer updates ten times a second; a refresh thread would slow the training.
            auto_refresh=False,
        )
        self.task = self.bar.add_task("", total=None, where="", figures="")
        self.held_out: float | None = None
        self.figures = ""
        self.epochs_done = 0

    @override
    def start(self, status: Status) -> None:
        self.bar.start()
        self.show(status, "")

    @override
    def update(self, status: Status) -> None:
        parts = {
            "loss {:.4f}": status.loss,
            "validation {:.4f}": self.held_out,
            "{:,.0f} examples/s": status.rate,
            "{} left": None if status.left is None else clock(status.left),
        }
        figures = (text.format(value) for text, value in parts.items() if value is not None)
        self.show(status, " · ".join(figures))

    @override
    def epoch(self, status: Status, record: Record) -> None:
        names = [name for name in record if name not in HIDDEN]
        watched = [name for name in names if name.startswith("validation_")]
        metrics = [name for name in watched or names if not name.endswith("loss")]
        shown = metrics or watched or names
        self.held_out = record[shown[0]] if watched else None
        self.figures = " · ".join(f"{n.replace('_', ' ')} {record[n]:.4f}" for n in shown)
        self.epochs_done = record["epoch"]

    @override
    def stop(self, status: Status) -> None:
        self.show(status, self.figures)
        self.bar.stop()

    def show(self, status: Status, figures: str) -> None:
        """Draw the bar with figures after it."""
        steps = status.steps or 0
        done = max((status.epoch - 1) * steps + status.step, self.epochs_done * steps)
        total = status.epochs * steps or None
        where = f"epoch {status.epoch}/{status.epochs}"
        self.bar.update(self.task, total=total, completed=done, where=where, figures=figures)
        self.bar.refresh()
