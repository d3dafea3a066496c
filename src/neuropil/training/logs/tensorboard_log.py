"""Figures of a training for TensorBoard."""

from __future__ import annotations

import numbers
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.core.atomic import make_folder
from neuropil.training.callbacks import Callback
from neuropil.training.logs.event_file import EventFile

if TYPE_CHECKING:
    from os import PathLike

    from neuropil.training.history import Record
    from neuropil.training.trainer import Trainer

# Columns of the history that are not curves.
POSITION = ("epoch", "steps")


@final
class TensorBoardLog(Callback):
    """Write the figures of each epoch to a folder that ``tensorboard --logdir`` shows.

    Each column of the history is a curve over the number of steps. TensorBoard itself is not
    needed for writing. A resumed training continues the curves: TensorBoard drops what the
    interrupted run wrote after the checkpoint. With several processes the first one writes.

    Give it after callbacks that add figures to the history.

    Args:
        folder: The folder, one for each training; it is created if it does not exist.

    Raises:
        OSError: If the files cannot be written.

    Example:
        >>> import torch
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import Trainer
        >>> network, data = torch.nn.Linear(1, 1), (torch.zeros(8, 1), torch.zeros(8, 1))
        >>> with TemporaryDirectory() as folder:
        ...     trainer = Trainer(network, callbacks=[TensorBoardLog(folder)], progress=False)
        ...     history = trainer.fit(data, epochs=2)
        ...     print(*(path.name[:19] for path in Path(folder).iterdir()))
        events.out.tfevents
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        self.file: EventFile | None = None

    @override
    def on_start(self, trainer: Trainer) -> None:
        self.file = None
        if trainer.learner.processes.first:
            make_folder(self.folder)
            self.file = EventFile(self.folder, trainer.steps + 1)

    @override
    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        if self.file is not None:
            figures = {name: value for name, value in record.items() if is_figure(name, value)}
            self.file.add(trainer.steps, figures)


def is_figure(name: str, value: Any) -> bool:
    """Return whether an entry of a record is a curve."""
    return name not in POSITION and isinstance(value, numbers.Real)
