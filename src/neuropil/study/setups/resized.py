"""Pictures resized to another size."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch.nn.functional as F
from torch import Tensor

from neuropil.core.shape import format_shape
from neuropil.datasets import DataError, Dataset
from neuropil.datasets.augmentation.base import as_floats, as_type
from neuropil.datasets.source import Batch
from neuropil.datasets.target import Target
from neuropil.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.core.shape import Shape
    from neuropil.datasets import Splits
    from neuropil.datasets.source import Source


def resized(source: Source, size: tuple[int, int]) -> Source:
    """Return examples with their pictures resized; a `Dataset` gives a `Dataset`.

    Args:
        source: The examples, pictures of one size.
        size: The new height and width.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Dataset
        >>> pictures = torch.tensor([[[[0, 2], [4, 6]]]], dtype=torch.uint8)
        >>> resized(Dataset(pictures, [0]), (1, 1)).inputs.tolist()
        [[[[3]]]]
    """
    if isinstance(source, Dataset):
        return Dataset(resize(source.inputs, size), source.targets, names=source.names)
    return Resized(source, size)


def resize(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Return pictures ``(N, C, H, W)`` of another size, of the same type.

    The interpolation is bilinear; in smaller pictures each pixel is a weighted mean over all
    that it covers.
    """
    new = F.interpolate(as_floats(pictures), size, mode="bilinear", antialias=True)
    return as_type(new, pictures.dtype)


def check_resizable(splits: Splits) -> None:
    """Check that the data are pictures of one size, whose labels have no place in them.

    Args:
        splits: The data.

    Raises:
        DataError: If they are not.
    """
    shape, target = splits.input_shape, splits.target
    if len(shape) != 3 or None in shape:
        raise DataError(
            f"examples of shape {format_shape(shape)} are not pictures of one size: they "
            f"cannot be resized."
        )
    if type(target).move is not Target.move:
        raise DataError(f"{target.kind} have a place in the picture: it cannot be resized.")


@final
class Resized:
    """A source whose pictures are resized when they are fetched.

    Args:
        source: The examples.
        size: Height and width of the pictures.
    """

    def __init__(self, source: Source, size: tuple[int, int]) -> None:
        self.source = source
        self.size = size

    @property
    def targets(self) -> Tensor | None:
        """The targets of all examples."""
        return self.source.targets

    @property
    def names(self) -> Sequence[str] | None:
        """One name per example, or None."""
        return self.source.names

    @property
    def input_shape(self) -> Shape:
        """Shape of an example."""
        return (self.source.input_shape[0], *self.size)

    @property
    def fingerprint(self) -> str:
        """A hash of the source and the size."""
        return digest_of([self.source.fingerprint, *self.size])

    def __len__(self) -> int:
        return len(self.source)

    def size_of(self, index: int) -> tuple[int, ...]:  # noqa: ARG002 - a source's, equal here
        """Return the sizes of the axes of an example after the first.

        Args:
            index: The place of the example; here all have the same sizes.
        """
        return self.size

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        inputs, targets, _ = self.source.fetch(indices)
        return Batch(resize(inputs, self.size), targets)

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> Source:
        return Resized(self.source[key], self.size)
