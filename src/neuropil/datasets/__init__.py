"""Datasets from files, from memory and generated, with splits, preparation and augmentation."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.datasets import augmentation as augmentation
    from neuropil.datasets.annotations.boxes_target import Boxes as Boxes
    from neuropil.datasets.arrays.array_preparation import ArrayPreparation as ArrayPreparation
    from neuropil.datasets.batch_places import batches_of_like_sizes as batches_of_like_sizes
    from neuropil.datasets.builtin.digit_scenes import make_digit_scenes as make_digit_scenes
    from neuropil.datasets.builtin.digits import (
        load_handwritten_digits as load_handwritten_digits,
    )
    from neuropil.datasets.builtin.glyphs import load_digits as load_digits
    from neuropil.datasets.builtin.glyphs import make_digits as make_digits
    from neuropil.datasets.builtin.reber import is_valid_by_reber as is_valid_by_reber
    from neuropil.datasets.builtin.reber import make_reber as make_reber
    from neuropil.datasets.builtin.reber import (
        make_reber_classification as make_reber_classification,
    )
    from neuropil.datasets.data_errors import DataError as DataError
    from neuropil.datasets.data_errors import MissingDataError as MissingDataError
    from neuropil.datasets.dataset import Dataset as Dataset
    from neuropil.datasets.masks.masks_target import Masks as Masks
    from neuropil.datasets.new_input import read_for_prediction as read_for_prediction
    from neuropil.datasets.open_data import open as open  # noqa: A004 - read as datasets.open
    from neuropil.datasets.open_data import read_for_evaluation as read_for_evaluation
    from neuropil.datasets.people.identities_target import Identities as Identities
    from neuropil.datasets.pictures.picture_preparation import (
        PicturePreparation as PicturePreparation,
    )
    from neuropil.datasets.pictures.picture_source import PictureSource as PictureSource
    from neuropil.datasets.points.points_target import Points as Points
    from neuropil.datasets.prediction_inputs import PredictionInputs as PredictionInputs
    from neuropil.datasets.preparation import Preparation as Preparation
    from neuropil.datasets.splits import Splits as Splits
    from neuropil.datasets.splitting import split as split
    from neuropil.datasets.splitting import split_indices as split_indices
    from neuropil.datasets.tables.columns.date_column import DateColumn as DateColumn
    from neuropil.datasets.tables.columns.hashed_column import HashedColumn as HashedColumn
    from neuropil.datasets.tables.columns.number_column import NumberColumn as NumberColumn
    from neuropil.datasets.tables.columns.text_column import TextColumn as TextColumn
    from neuropil.datasets.tables.table import Table as Table
    from neuropil.datasets.tables.table_preparation import TablePreparation as TablePreparation
    from neuropil.datasets.target import Classes as Classes
    from neuropil.datasets.target import Numbers as Numbers
    from neuropil.datasets.target import Target as Target

load_on_use(__name__, __file__)
