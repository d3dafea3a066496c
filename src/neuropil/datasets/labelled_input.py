"""Labelled data for the evaluation of a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.formats import FORMATS, misfit_message
from neuropil.datasets.open_data import find_format
from neuropil.datasets.paths import find_existing

if TYPE_CHECKING:
    import os

    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.preparation import Preparation


def read_for_evaluation(
    preparation: Preparation, path: str | os.PathLike[str]
) -> tuple[Dataset, list[str]]:
    """Read labelled data with the preparation of the training data, to evaluate a network.

    If the files are divided into training and test, only the test part is read.

    Args:
        preparation: Preparation of the training data.
        path: Data of the same kind, as `open` takes them.

    Returns:
        The examples, and notes for the user.

    Raises:
        DataError: If the data do not fit, or hold a class that the training data lack.
    """
    given = find_existing(path)
    kind = preparation.kind
    notes: list[str] = []
    with reading(given, DataError), adding_notes(notes):
        found = find_format(given)
        if found is None or kind not in found[0].read_labelled:
            takes = [known.opens for known in FORMATS if kind in known.read_labelled]
            what = f"{given} ({found[2]})" if found else given
            raise DataError(misfit_message(what, kind, takes))
        known, opened, _ = found
        return known.read_labelled[kind](preparation, opened, notes), notes
