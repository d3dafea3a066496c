"""The bar that a person sees while a network trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.training.progress import Progress, Status, TextProgress, clock

if TYPE_CHECKING:
    from neuropil.training.history import Record

HIDDEN = {"epoch", "steps", "seconds", "lr"}


def progress_for(*, quiet: bool) -> Progress:
    """Return the bar for a terminal, plain lines elsewhere, nothing if quiet."""
    import sys

    if quiet:
        return Progress()
    return Bar() if sys.stderr.isatty() else TextProgress()


class Bar(Progress):
    """One bar for the whole training, with the figures of the last epoch under it."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        from neuropil.cli.console import console

        self.bar = RichProgress(
            TextColumn("{task.fields[where]}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            console=console(error=True),
            # The trainer calls ten times a second; a thread of its own would slow the training.
            auto_refresh=False,
        )
        self.task = self.bar.add_task("", total=None, where="", said="")
        self.figures = ""

    @override
    def start(self, status: Status) -> None:
        self.bar.start()
        self.show(status, "")

    @override
    def update(self, status: Status) -> None:
        parts = [f"loss {status.loss:.4f}" if status.loss is not None else ""]
        parts += [self.figures]
        parts += [f"{status.rate:,.0f} examples/s" if status.rate is not None else ""]
        parts += [f"{clock(status.left)} left" if status.left is not None else ""]
        self.show(status, " · ".join(filter(None, parts)))

    @override
    def epoch(self, status: Status, record: Record) -> None:
        wanted = [name for name in record if name not in HIDDEN]
        held_out = [name for name in wanted if name.startswith("validation_")] or wanted
        shown = [name for name in held_out if not name.endswith("loss")] or held_out
        self.figures = " · ".join(
            f"{name.replace('_', ' ')} {record[name]:.4g}" for name in shown
        )

    @override
    def stop(self, status: Status) -> None:
        self.show(status, self.figures)
        self.bar.stop()

    def show(self, status: Status, said: str) -> None:
        """Draw the bar."""
        total = None if status.steps is None else status.epochs * status.steps
        done = (status.epoch - 1) * (status.steps or 0) + status.step
        where = f"epoch {status.epoch}/{status.epochs}"
        self.bar.update(self.task, total=total, completed=done, where=where, said=said)
        self.bar.refresh()
