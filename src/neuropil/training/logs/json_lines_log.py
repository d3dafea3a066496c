"""Figures of a training as JSON lines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.core.atomic import make_folder, replacing
from neuropil.training.callbacks import Callback
from neuropil.training.logs.whole_append import append_whole

if TYPE_CHECKING:
    from os import PathLike

    from neuropil.training.history import Record
    from neuropil.training.trainer import Trainer


@final
class JsonLinesLog(Callback):
    """Write the figures of each epoch as a line of JSON, such as ``{"epoch": 1, "loss": 0.5}``.

    The file contains the history of the training, also of one that was resumed: it is written
    anew at the start, and each epoch adds a whole line. A figure that is not finite is null.
    With several processes the first one writes.

    Give it after callbacks that add figures to the history.

    Args:
        file: The file, one for each training; a file of an earlier training is replaced.

    Raises:
        OSError: If the file cannot be written.

    Example:
        >>> import torch
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import Trainer
        >>> network, data = torch.nn.Linear(1, 1), (torch.zeros(8, 1), torch.zeros(8, 1))
        >>> with TemporaryDirectory() as folder:
        ...     log = JsonLinesLog(f"{folder}/log.jsonl")
        ...     history = Trainer(network, callbacks=[log], progress=False).fit(data, epochs=2)
        ...     print(
        ...         [json.loads(line)["epoch"] for line in log.path.read_bytes().splitlines()]
        ...     )
        [1, 2]
    """

    def __init__(self, file: str | PathLike[str]) -> None:
        self.path = Path(file)

    @override
    def on_start(self, trainer: Trainer) -> None:
        if trainer.learner.processes.first:
            make_folder(self.path.parent)
            with replacing(self.path) as file:
                file.writelines(map(line_of, trainer.history))

    @override
    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        if trainer.learner.processes.first:
            append_whole(self.path, line_of(record))


def line_of(record: Record) -> bytes:
    """Return a record as a line of JSON."""
    plain = {name: as_plain(value) for name, value in record.items()}
    return json.dumps(plain, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def as_plain(value: Any) -> Any:
    """Return a figure as JSON has it; scalars of NumPy and torch become numbers."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
