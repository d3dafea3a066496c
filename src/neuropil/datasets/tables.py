"""Open a text table: choose the target and the task, split, and learn how to encode it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from neuropil.datasets.cells import MAX_CLASSES, column_numbers, is_missing
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.errors import DataError
from neuropil.datasets.options import Options
from neuropil.datasets.paths import counted, did_you_mean, listed, natural_key
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split_indices
from neuropil.datasets.table_columns import NumberColumn, TextColumn
from neuropil.datasets.table_file import Table, read_table
from neuropil.datasets.table_preparation import TablePreparation, number_label
from neuropil.datasets.target import Target

MAX_CATEGORIES = 256
"""A column with more distinct words than this would make more inputs than it is worth."""
COUNTERS = frozenset(["", "id", "index", "row", "rowid", "no", "no.", "nr", "#", "unnamed: 0"])
"""Names under which a column that counts the rows is no property of them."""


def open_table(path: Path, options: Options) -> Splits:
    """Read a table whose target is the last column or the one named.

    Args:
        path: The file.
        options: What the caller asked for.

    Raises:
        DataError: If the table, the target or a column cannot be used.
    """
    options.refuse("a table", "image_size", "color")
    notes: list[str] = []
    table = read_table(path, notes)
    name = find_target(table, options.target)
    table = drop_unknown_targets(table, name, notes)
    labels, values = read_target(table, name, options.task, notes)
    stratum = np.asarray(labels) if values is None else values
    parts = split_indices(
        stratum, validation=options.validation, test=options.test, seed=options.seed
    )
    ...
