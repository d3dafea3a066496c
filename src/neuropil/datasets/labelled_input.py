"""Read labelled data in the form that a network was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError, recalling
from neuropil.datasets.formats import FORMATS, misfit
from neuropil.datasets.open_data import find_format
from neuropil.datasets.paths import find_existing

if TYPE_CHECKING:
    import os

    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.preparation import Preparation


def read_for_evaluation(
    preparation: Preparation, path: str | os.PathLike[str]
) -> tuple[Dataset, list[str]]:
    """Read labelled data in the form that a network was trained on, to measure the network.

    Where the files say train and test, the test part is read; otherwise everything.

    Args:
        preparation: How the training data were read.
        path: Data of the same kind, as `open` takes them.

    Returns:
        The examples, and lines that a person should read.

    Raises:
        DataError: If the data do not fit, or hold a class that the training data lack.
    """
    given = find_existing(path)
    kind = preparation.kind
    notes: list[str] = []
    with reading(given, DataError), recalling(notes):
        found = find_format(given)
        if found is None or kind not in found[0].read_labelled:
            takes = [known.opens for known in FORMATS if kind in known.read_labelled]
            what = f"{given} ({found[2]})" if found else given
            raise DataError(misfit(what, kind, takes))
        known, opened, _ = found
        return known.read_labelled[kind](preparation, opened, notes), notes
