"""Facts about pictures that follow from their pixels, of a sample if they are on disk."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.pictures.picture_files import evenly_spaced
from neuropil.datasets.pictures.picture_preparation import rim_brightness
from neuropil.datasets.pictures.substitutes import BrokenPictureWarning

if TYPE_CHECKING:
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation
    from neuropil.datasets.pictures.picture_source import PictureSource

SAMPLE = 256
"""Largest number of pictures that are looked at."""


def background(
    pictures: Dataset | PictureSource, preparation: PicturePreparation, notes: list[str]
) -> float:
    """Return the mean brightness at the borders of pictures, of a sample if they are on disk.

    Args:
        pictures: The training pictures.
        preparation: Their preparation.
        notes: Gains notes for the user.
    """
    low, high = preparation.low, preparation.high
    if isinstance(pictures, Dataset):
        return rim_brightness(pictures.inputs, low, high)
    rims = [rim_brightness(one, low, high) for one in sample(pictures, notes)]
    return sum(rims) / len(rims)


def sample(source: PictureSource, notes: list[str]) -> list[Tensor]:
    """Return some pictures of a source, evenly spaced, each as a batch of one.

    Args:
        source: The pictures.
        notes: Gains a line for each that cannot be decoded.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BrokenPictureWarning)
        places = evenly_spaced(len(source), SAMPLE)
        taken = [source.fetch([place]).inputs for place in places]
    notes += [str(each.message) for each in caught]
    return taken


def holds_only_greys(pixels: Tensor) -> bool:
    """Return whether the three channels of all pictures are equal."""
    return all(torch.equal(pixels[:, 0], pixels[:, channel]) for channel in (1, 2))
