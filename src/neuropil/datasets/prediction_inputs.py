"""New input in the form that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.tables.table import Table


@final
@dataclass
class PredictionInputs:
    """New input in the form that a network was trained on.

    Args:
        inputs: ``(N, *input_shape)``.
        names: What each example is called: its file, or its file and row.
        notes: Lines that a person should read.
        set_aside: The files that could not be read, each with its reason.
        table: The table that the examples are the rows of, if they come from a single one.
    """

    inputs: Tensor
    names: list[str]
    notes: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    table: Table | None = None
