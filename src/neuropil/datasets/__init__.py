"""Data: real and drawn, from files and memory, split, prepared and augmented."""

from neuropil.datasets import augmentation
from neuropil.datasets.arrays.array_preparation import ArrayPreparation
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
from neuropil.datasets.new_input import PredictionInputs, read_for_prediction
from neuropil.datasets.open_data import open_data as open  # noqa: A004 - read as datasets.open
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.preparation import Preparation
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split, split_indices
from neuropil.datasets.tables.table_columns import NumberColumn, TextColumn
from neuropil.datasets.tables.table_file import Table
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.target import Classes, Numbers, Target

__all__ = [
    "ArrayPreparation",
    "Classes",
    "DataError",
    "Dataset",
    "MissingDataError",
    "NumberColumn",
    "Numbers",
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
