"""Rows of a sparse matrix as examples, which become dense batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from scipy.sparse import issparse

from neuropil.datasets.source import Batch
from neuropil.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

# Limit on the elements of a dense part in prediction.
ELEMENTS = 2**22


@final
class SparseRows:
    """A `Source` of the rows of a sparse matrix.

    Args:
        matrix: A matrix of SciPy in the format CSR.
        targets: One target per row.
        weights: One weight per row, or None.
    """

    names = None

    def __init__(self, matrix: Any, targets: Tensor, weights: Tensor | None = None) -> None:
        self.matrix, self.targets, self.weights = matrix, targets, weights
        self.input_shape = (matrix.shape[1],)

    def __len__(self) -> int:
        return self.matrix.shape[0]

    @property
    def fingerprint(self) -> str:
        """A hash of the matrix and the targets."""
        parts = (self.matrix.data, self.matrix.indices, self.matrix.indptr)
        return digest_of([*map(torch.tensor, parts), self.targets])

    def size_of(self, index: int) -> tuple[int, ...]:  # noqa: ARG002 - a source's, equal here
        """Return the sizes of the axes of an example after the first."""
        return ()

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a dense batch."""
        places = np.asarray(indices)
        rows = torch.from_numpy(self.matrix[places].toarray())
        return Batch(rows, self.targets[torch.from_numpy(places)])

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> SparseRows:
        places = torch.arange(len(self))[key]
        weights = None if self.weights is None else self.weights[places]
        return SparseRows(self.matrix[places.numpy()], self.targets[places], weights)


def dense_parts(X: Any) -> Iterator[NDArray[Any]]:
    """Yield a matrix as dense arrays of some rows each; one that is dense already as it is."""
    if not issparse(X):
        yield X
        return
    rows = max(1, ELEMENTS // max(1, X.shape[1]))
    for start in range(0, X.shape[0], rows):
        yield X[start : start + rows].toarray()
