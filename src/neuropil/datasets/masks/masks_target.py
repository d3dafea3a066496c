"""Target of segmentation: a class for each pixel of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.augmentation.warping import warp_mask
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.masks.mask_classes import BACKGROUND, name_classes
from neuropil.datasets.masks.mask_file import MaskFile, read_resized
from neuropil.datasets.plain_fields import number_tuple, optional, text, text_tuple
from neuropil.datasets.target import Target, distinct_names
from neuropil.text import cut, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IGNORED = 255
"""Class number of the pixels that count for nothing, such as those after a smaller picture."""
MOST_CLASSES = 255
MOST_SHOWN = 6


@final
@dataclass(frozen=True)
class Masks(Target):
    """A class for each pixel.

    A mask holds class numbers in bytes. Pixels of 255 count for nothing: neither the loss nor a
    figure looks at them. A class named ``background`` is predicted, but not judged by figures.

    Args:
        classes: Name of each class, by class number.
        values: The value of each class in mask files; by default its number.
        name: Name of the target, if it has one.

    Raises:
        DataError: If `classes` is empty, has a name twice, or has more than 255 names, or if
            there is not a value from 0 to 255 of its own for each.

    Example:
        >>> from neuropil.datasets import Masks
        >>> masks = Masks(["background", "cell"])
        >>> masks.collate([[[0, 1, 1]], [[1], [0]]], "here")
        tensor([[[  0,   1,   1],
                 [255, 255, 255]],
        <BLANKLINE>
                [[  1, 255, 255],
                 [  0, 255, 255]]], dtype=torch.uint8)
    """

    kind = "masks"
    readers: ClassVar = {
        "name": optional(text),
        "classes": text_tuple,
        "values": number_tuple,
    }

    classes: Sequence[str]
    values: Sequence[int] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", distinct_names(self.classes, self))
        values = tuple(map(int, self.values)) or tuple(range(len(self.classes)))
        object.__setattr__(self, "values", values)
        sound = len(set(values)) == len(values) == len(self.classes) <= MOST_CLASSES
        if not sound or not all(0 <= value <= 255 for value in values):
            raise DataError(
                f"masks need at most {MOST_CLASSES} classes, each with its own value from 0 to "
                f"255; got {cut(str(self.classes))} with {cut(str(values))}."
            )

    @classmethod
    @override
    def fit(
        cls,
        labels: Iterable[Any],
        where: str,
        *,
        name: str | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Return the target with the classes that the masks show.

        Args:
            labels: The mask of each training picture, as files or arrays of values.
            where: Their source, for the error.
            name: Name of the target, if it has one.
            names: Name of each class, if the user has listed them.

        Raises:
            DataError: If all pixels are of one class.
        """
        found = {value for label in labels for value in values_of(label)}
        if found <= {0}:
            raise DataError(
                f"{where} has masks without any foreground: all their pixels are 0, so there "
                "is nothing to learn."
            )
        classes, values = name_classes(found, names)
        return cls(classes, values, name)

    @property
    @override
    def outputs(self) -> int:
        return len(self.classes)

    @property
    def judged(self) -> list[int]:
        """The numbers of the classes that figures judge: all but the background."""
        own = [n for n, each in enumerate(self.classes) if each.casefold() != BACKGROUND]
        return own or list(range(len(self.classes)))

    @override
    def collate(self, labels: Sequence[Any] | Tensor, where: str) -> Tensor:
        """Return masks as bytes ``(N, H, W)``; 255 follows a mask smaller than the largest.

        Args:
            labels: Class numbers of each picture, ``(H, W)``.
            where: Their source, for the error.

        Raises:
            DataError: If a mask is not two-dimensional, or has a value that is not a class
                number.
        """
        masks = [torch.as_tensor(label) for label in labels]
        for example, mask in enumerate(masks):
            outside = (mask < 0) | ((mask >= self.outputs) & (mask != IGNORED))
            wrong = mask[outside | (mask % 1 != 0)]
            if mask.ndim != 2 or wrong.numel():
                shape = tuple(mask.shape)
                got = f"the value {wrong[0]:g}" if wrong.numel() else f"the shape {shape}"
                raise DataError(
                    f"{where}, example {example}: the mask has {got}; a mask is (H, W) with "
                    f"class numbers from 0 to {self.outputs - 1}, or {IGNORED} for pixels to "
                    "ignore."
                )
        return pad_together([mask.to(torch.uint8) for mask in masks])

    @override
    def collate_resized(
        self, labels: Sequence[Any], where: str, own: Any, sizes: Any
    ) -> Tensor | None:
        """Return masks in the pixels of resized pictures; files are decoded one by one."""
        if not all(isinstance(label, MaskFile) for label in labels):
            return None
        return pad_together(read_resized(labels, self.values, IGNORED, sizes, where))

    @override
    def crop(self, targets: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the masks of pictures of one size, without or with more padding after them."""
        inside = targets[:, : size[0], : size[1]]
        right, down = size[1] - inside.shape[2], size[0] - inside.shape[1]
        return F.pad(inside, (0, right, 0, down), value=IGNORED) if right or down else inside

    @override
    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        """Return masks after a change of their pictures; 255 outside the old ones.

        Each pixel takes the class of the old pixel that it shows.

        Args:
            targets: ``(N, H, W)``.
            matrix: ``(N, 2, 3)``, from old to new picture coordinates.
            size: Height and width of the new picture.
        """
        return warp_mask(targets, matrix.to(targets.device), size, fill=IGNORED)

    @override
    def count(self, targets: Tensor) -> list[int]:
        """Return the number of pixels of each class.

        Args:
            targets: ``(N, H, W)``.
        """
        counts = torch.zeros(256, dtype=torch.int64)
        for mask in targets.cpu():
            counts += mask.flatten().bincount(minlength=256)
        return counts[: self.outputs].tolist()

    @override
    def describe(self, targets: Tensor) -> str:
        counts = self.count(targets)
        whole = max(1, sum(counts))
        parts = [
            f"{count / whole:.1%} {cut(name)!r}"
            for name, count in zip(self.classes, counts, strict=True)
        ]
        text = f"{number_of(len(targets), 'mask')}: {some_of(parts, MOST_SHOWN)} of the pixels"
        judged = torch.tensor(self.judged, dtype=targets.dtype, device=targets.device)
        empty = sum(not torch.isin(mask, judged).any() for mask in targets)
        if empty:
            text += f"; {number_of(empty, 'picture')} without any foreground"
        return text


def values_of(label: Any) -> set[int]:
    """Return the values of a mask file, or of an array."""
    if isinstance(label, MaskFile):
        return set(label.values)
    return set(torch.as_tensor(label).unique().tolist())


def pad_together(masks: Sequence[Tensor]) -> Tensor:
    """Return masks as one tensor ``(N, H, W)``; 255 follows the smaller ones."""
    sides = [max((mask.shape[axis] for mask in masks), default=0) for axis in (0, 1)]
    targets = torch.full((len(masks), *sides), IGNORED, dtype=torch.uint8)
    for target, mask in zip(targets, masks, strict=True):
        target[: mask.shape[0], : mask.shape[1]] = mask
    return targets
