"""Mosaic: four pictures in one, with the boxes of all four."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets.augmentation.base import PictureStep, check_range, uniform
from neuropil.datasets.augmentation.matrices import stretch
from neuropil.datasets.augmentation.warping import sample, warp_mask
from neuropil.datasets.augmentation.zoom import between
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.source import Batch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Size

# The point that divides a picture keeps this part of a side from its ends.
MARGIN = 0.25


@final
class Mosaic(PictureStep):
    """Put four pictures of the batch into one, and join their boxes.

    A point in the middle half of the picture divides it into four fields; it is drawn for the
    batch. The first field shows the picture itself, each other field another one of the batch,
    from a random permutation. A picture is scaled by s, whose logarithm is drawn uniformly, and
    lies at a random place of its field: one that is larger is cut off, one that is smaller is
    surrounded by `fill`. Boxes are moved and cut off with their pictures.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept, whole numbers are rounded. Targets
        ``(N, M, 5)`` become ``(N, 4 M, 5)``, with padding in place of boxes that are not seen.

    Args:
        p: Probability that a picture is changed.
        scale: Smallest and largest s.
        fill: Value outside the pictures, in the range of the raw inputs.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: If the targets are not boxes, which `bind` says how to move.

    Reference:
        Bochkovskiy, Wang and Liao, "YOLOv4: Optimal Speed and Accuracy of Object Detection",
        2020, arXiv:2004.10934.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Boxes
        >>> from neuropil.datasets.augmentation import Mosaic
        >>> mosaic = Mosaic(scale=(0.5, 0.5)).bind(Boxes(["cat"]).move)
        >>> boxes = torch.tensor([[[0.0, 0, 32, 32, 0]]]).repeat(2, 1, 1)
        >>> pictures, boxes = mosaic(torch.ones(2, 3, 32, 32), boxes, torch.Generator())
        >>> pictures.shape, boxes.shape
        (torch.Size([2, 3, 32, 32]), torch.Size([2, 4, 5]))
    """

    def __init__(
        self,
        p: float = 1.0,
        *,
        scale: tuple[float, float] = (0.5, 1.0),
        fill: float = 0.0,
    ) -> None:
        self.p = number(p, "Mosaic: p", "[0, 1]")
        self.scale = check_range(scale, "Mosaic: scale", "(0, inf)")
        self.fill = fill

    @override
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        pictures, targets, mask = batch
        if self.move is None or targets is None or targets.shape[2:] != (5,):
            shape = None if targets is None else tuple(targets.shape)
            raise DataError(
                f"{self} joins the boxes of four pictures: it needs targets (N, M, 5) and "
                f"`bind(target.move)`, got targets of shape {shape}."
            )
        count, size = len(pictures), (pictures.shape[-2], pictures.shape[-1])
        chance, *drawn = uniform(count, pictures, generator, rows=13)
        point = uniform(2, pictures, generator)[0].tolist()
        chosen = (chance < self.p).nonzero().flatten()
        mixed, shown = pictures.clone(), None if mask is None else mask.clone()
        boxes: list[Tensor] = []
        for field, (top, left, room) in enumerate(fields(size, point)):
            order = partners(count, generator) if field else torch.arange(count)
            order = order.to(pictures.device)[chosen]
            places = [part[chosen] for part in drawn[3 * field : 3 * field + 3]]
            matrix = self.place(places, size, room)
            rows, columns = slice(top, top + room[0]), slice(left, left + room[1])
            mixed[chosen, :, rows, columns] = sample(
                pictures[order], matrix, room, self.fill, pictures.dtype
            )
            if mask is not None and shown is not None:
                shown[chosen, rows, columns] = warp_mask(mask[order], matrix, room)
            # Boxes are cut off at the border of the field before they are moved there.
            inside = self.move(targets[order], matrix, room)
            boxes.append(self.move(inside, constant(matrix, 1.0, left, top), size))
        # A picture that is not changed has padding in place of the boxes of others.
        none = self.move(targets, constant(targets, 0.0, 0, 0), size)
        joined = torch.cat([targets, none, none, none], dim=1)
        joined[chosen] = torch.cat(boxes, dim=1)
        return Batch(mixed, joined, shown)

    def place(self, drawn: list[Tensor], size: Size, room: Size) -> Tensor:
        """Return matrices that scale pictures and put them at random places of a field.

        Args:
            drawn: Random numbers from 0 to 1: for the scale, right and down.
            size: Height and width of the pictures.
            room: Height and width of the field.
        """
        zoom, right, down = drawn
        scale = between(zoom, self.scale)
        x, y = right * (room[1] - scale * size[1]), down * (room[0] - scale * size[0])
        return stretch(scale, scale, x, y)


def fields(size: Size, point: list[float]) -> list[tuple[int, int, Size]]:
    """Return the four fields around a point: top, left, and height and width.

    Args:
        size: Height and width of the picture.
        point: Where it lies in the middle of the picture, down and right, from 0 to 1.

    Raises:
        DataError: If the picture is too small.
    """
    if min(size) < 2:
        raise DataError(f"Mosaic needs pictures of at least 2 × 2 pixels, got {size}.")
    y, x = (
        min(max(1, round(side * (MARGIN + (1 - 2 * MARGIN) * share))), side - 1)
        for side, share in zip(size, point, strict=True)
    )
    height, width = size
    return [
        (top, left, (tall, wide))
        for top, tall in ((0, y), (y, height - y))
        for left, wide in ((0, x), (x, width - x))
    ]


def partners(count: int, generator: torch.Generator) -> Tensor:
    """Return another picture for each picture of a batch, by a random permutation."""
    return torch.randperm(count, generator=generator, device=generator.device)


def constant(like: Tensor, scale: float, x: float, y: float) -> Tensor:
    """Return the same matrix for each picture: scaled, then moved by x and y."""
    own = like.new_ones(len(like))
    return stretch(own * scale, own * scale, own * x, own * y)
