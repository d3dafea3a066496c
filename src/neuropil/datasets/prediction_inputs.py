"""New input, ready for a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.datasets.tables.table import Table


@final
@dataclass
class PredictionInputs:
    """New input with the preparation of the training data applied.

    Args:
        inputs: ``(N, *input_shape)``; a source if the sizes of the examples vary.
        names: Name of each example: its file, or its file and row.
        notes: Notes for the user.
        set_aside: The files that could not be read, each with the reason.
        table: The table whose rows the examples are, if they come from a single table.
        sizes: Height and width of the picture file of each example, as a viewer shows it; None
            if the examples do not come from picture files. They may have been resized since.
        files: The picture file of each example, if `sizes` has their sizes.
    """

    inputs: Tensor | Source
    names: list[str]
    notes: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    table: Table | None = None
    sizes: list[tuple[int, int]] | None = None
    files: list[Path] | None = None
