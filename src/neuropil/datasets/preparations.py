"""Every kind of preparation: importing one imports all, so that any can be read back."""

from neuropil.datasets.arrays.array_preparation import ArrayPreparation
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.preparation import Preparation
from neuropil.datasets.tables.table_preparation import TablePreparation

__all__ = ["ArrayPreparation", "PicturePreparation", "Preparation", "TablePreparation"]
