"""The same examples with other targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.source import Batch
from neuropil.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.core.shape import Shape
    from neuropil.datasets.source import Source


def with_targets(source: Source, targets: Tensor) -> Source:
    """Return the examples of a source with other targets; a `Dataset` gives a `Dataset`.

    Args:
        source: The examples.
        targets: One target per example.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Dataset
        >>> with_targets(Dataset([[1.0], [2.0]], [0, 1]), torch.tensor([5, 6])).targets
        tensor([5, 6])
    """
    if isinstance(source, Dataset):
        return Dataset(source.inputs, targets, names=source.names)
    return Relabelled(source, targets)


@final
class Relabelled:
    """A source with the inputs of another one and its own targets.

    Args:
        source: The examples.
        targets: One target per example.
    """

    def __init__(self, source: Source, targets: Tensor) -> None:
        self.source = source
        self.targets = targets

    @property
    def names(self) -> Sequence[str] | None:
        """One name per example, or None."""
        return self.source.names

    @property
    def input_shape(self) -> Shape:
        """Shape of an example."""
        return self.source.input_shape

    @property
    def fingerprint(self) -> str:
        """A hash of the source and the targets."""
        return digest_of([self.source.fingerprint, self.targets])

    def __len__(self) -> int:
        return len(self.source)

    def size_of(self, index: int) -> tuple[int, ...]:
        """Return the sizes of the axes of an example after the first.

        Args:
            index: The place of the example.
        """
        return self.source.size_of(index)

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        inputs, _, mask = self.source.fetch(indices)
        return Batch(inputs, self.targets[torch.as_tensor(indices)], mask)

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> Source:
        index = key if isinstance(key, slice) else torch.as_tensor(key)
        return Relabelled(self.source[key], self.targets[index])
