"""Data: real and drawn, from files and memory, split, prepared and augmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.datasets import augmentation
    from neuropil.datasets.builtin.digits import load_handwritten_digits
    from neuropil.datasets.builtin.glyphs import load_digits, make_digits
    from neuropil.datasets.builtin.reber import (
        is_valid_by_reber,
        make_reber,
        make_reber_classification,
    )
    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.errors import DataError, MissingDataError
    from neuropil.datasets.labelled_input import read_for_evaluation
    from neuropil.datasets.new_input import read_for_prediction
    from neuropil.datasets.open_data import open  # noqa: A004 - read as datasets.open
    from neuropil.datasets.prediction_inputs import PredictionInputs
    from neuropil.datasets.preparations import (
        ArrayPreparation,
        PicturePreparation,
        Preparation,
        TablePreparation,
    )
    from neuropil.datasets.splits import Splits
    from neuropil.datasets.splitting import split, split_indices
    from neuropil.datasets.tables.table_columns import NumberColumn, TextColumn
    from neuropil.datasets.tables.table_file import Table
    from neuropil.datasets.target import Target

# Help texts need the names of the formats alone, without what reads them.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.datasets.builtin.digits": ("load_handwritten_digits",),
        "neuropil.datasets.builtin.glyphs": ("load_digits", "make_digits"),
        "neuropil.datasets.builtin.reber": (
            "is_valid_by_reber",
            "make_reber",
            "make_reber_classification",
        ),
        "neuropil.datasets.dataset": ("Dataset",),
        "neuropil.datasets.errors": ("DataError", "MissingDataError"),
        "neuropil.datasets.labelled_input": ("read_for_evaluation",),
        "neuropil.datasets.new_input": ("read_for_prediction",),
        "neuropil.datasets.open_data": ("open",),
        "neuropil.datasets.prediction_inputs": ("PredictionInputs",),
        "neuropil.datasets.preparations": (
            "ArrayPreparation",
            "PicturePreparation",
            "Preparation",
            "TablePreparation",
        ),
        "neuropil.datasets.splits": ("Splits",),
        "neuropil.datasets.splitting": ("split", "split_indices"),
        "neuropil.datasets.tables.table_columns": ("NumberColumn", "TextColumn"),
        "neuropil.datasets.tables.table_file": ("Table",),
        "neuropil.datasets.target": ("Target",),
    },
    ("augmentation",),
)

__all__ = [
    "ArrayPreparation",
    "DataError",
    "Dataset",
    "MissingDataError",
    "NumberColumn",
    "PicturePreparation",
    "PredictionInputs",
    "Preparation",
    "Splits",
    "Table",
    "TablePreparation",
    "Target",
    "TextColumn",
    "augmentation",
    "is_valid_by_reber",
    "load_digits",
    "load_handwritten_digits",
    "make_digits",
    "make_reber",
    "make_reber_classification",
    "open",
    "read_for_evaluation",
    "read_for_prediction",
    "split",
    "split_indices",
]
