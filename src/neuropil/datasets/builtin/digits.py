"""The handwritten digits bundled with scikit-learn."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.pictures.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split
from neuropil.datasets.target import Classes


def load_handwritten_digits(
    *, seed: int = 0, validation: float = 0.1, test: float = 0.2
) -> Splits:
    """Return the 1,797 handwritten digits of 8×8 pixels that scikit-learn bundles, split.

    Shape:
        Inputs ``(N, 1, 8, 8)``, bytes from 0 (paper) to 16 (ink); targets ``(N)``, 0 to 9.

    Args:
        seed: Seed of the stratified split; the same seed gives the same parts.
        validation: Fraction (below 1) or number of digits for validation; 0 for none.
        test: Fraction (below 1) or number of digits for the test; 0 for none.

    Reference:
        Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
        Repository, 1998 (its test part). Each value counts the ink in a block of 4×4 pixels of
        a 32×32 bitmap.

    Example:
        >>> from neuropil.datasets import load_handwritten_digits
        >>> digits = load_handwritten_digits(validation=100, test=297)
        >>> digits
        Splits(handwritten digits: 1,400 training, 100 validation, 297 test examples of shape
        (1, 8, 8))
        >>> digits.train.inputs.max(), digits.target.classes[:3]
        (tensor(16, dtype=torch.uint8), ('0', '1', '2'))
    """
    rows = bundled_rows()
    data = Dataset(rows[:, :-1].reshape(-1, 1, 8, 8), rows[:, -1].astype(np.int64))
    train, held_out, tested = split(data, validation=validation, test=test, seed=seed)
    preparation = PicturePreparation(
        (1, 8, 8),
        Classes([str(digit) for digit in range(10)]),
        high=16.0,
        background=rim_brightness(train.inputs, 0, 16),
    )
    return Splits(train, held_out, tested, preparation=preparation, source="handwritten digits")


def bundled_rows() -> np.ndarray[Any, Any]:
    """Return the digits ``(1797, 65)`` as bytes: 64 pixels, and the digit in the last column.

    Only the file is read: importing scikit-learn would take longer than a short training.
    """
    [folder] = getattr(find_spec("sklearn"), "submodule_search_locations", [])
    with gzip.open(Path(folder, "datasets", "data", "digits.csv.gz"), "rt") as file:
        return np.loadtxt(file, np.uint8, delimiter=",")
