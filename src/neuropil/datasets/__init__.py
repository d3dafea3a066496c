"""Data: real and drawn, from files and memory, split, prepared and augmented."""

from neuropil.datasets import augmentation
from neuropil.datasets.array_preparation import ArrayPreparation
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.digits import load_handwritten_digits
from neuropil.datasets.errors import DataError, MissingDataError
from neuropil.datasets.evaluation import read_for_evaluation
from neuropil.datasets.glyphs import load_digits, make_digits
from neuropil.datasets.opening import open_data as open  # noqa: A004 - read as datasets.open
from neuropil.datasets.picture_preparation import PicturePreparation
from neuropil.datasets.prediction import PredictionInputs, read_for_prediction
from neuropil.datasets.preparation import Preparation
from neuropil.datasets.reber import is_valid_by_reber, make_reber, make_reber_classification
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split, split_indices
from neuropil.datasets.table_columns import NumberColumn, TextColumn
from neuropil.datasets.table_file import Table
from neuropil.datasets.table_preparation import TablePreparation
from neuropil.datasets.target import Target

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
