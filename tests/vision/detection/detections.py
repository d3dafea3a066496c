"""Boxes and answers to measure: real ones, random ones, and small ones written by hand."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def of_rows(pictures: list[list[tuple[float, ...]]], width: int) -> Tensor:
    """Return rows of boxes for each picture as one tensor, padded as targets or answers are."""
    boxes = torch.full((len(pictures), max(1, *map(len, pictures)), width), -1.0)
    if width == 6:
        boxes[..., :5] = 0
    for place, rows in zip(boxes, pictures, strict=True):
        for row, values in enumerate(rows):
            place[row] = torch.tensor(values)
    return boxes


def read_coco128(data: Path) -> Tensor:
    """Return the boxes of the training pictures of coco128 in pixels, ``(128, M, 5)``."""
    pictures = []
    for path in sorted((data / "coco128/images/train2017").glob("*.jpg")):
        labels = path.parents[2] / "labels" / path.parent.name / f"{path.stem}.txt"
        with Image.open(path) as picture:
            wide, high = picture.size
        rows = np.loadtxt(labels, ndmin=2) if labels.exists() else np.empty((0, 5))
        pictures.append(
            [
                (
                    (x - w / 2) * wide,
                    (y - h / 2) * high,
                    (x + w / 2) * wide,
                    (y + h / 2) * high,
                    k,
                )
                for k, x, y, w, h in rows.tolist()
            ]
        )
    return of_rows(pictures, 5)


def random_targets(seed: int, *, pictures: int = 8, classes: int = 3) -> Tensor:
    """Return random boxes on whole numbers; some do not count, the first picture is empty."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.randint(40, (pictures, 7, 2), generator=generator)
    side = torch.randint(1, 30, (pictures, 7, 2), generator=generator)
    number = torch.randint(-1, classes, (pictures, 7, 1), generator=generator)
    apart = (torch.rand(pictures, 7, 1, generator=generator) < 0.2) & (number >= 0)
    number = torch.where(apart, -2 - number, number)
    boxes = torch.cat([corner, corner + side, number], dim=2).float()
    boxes[0] = -1
    return boxes.masked_fill(number == -1, -1)


def random_answers(targets: Tensor, seed: int, *, count: int = 20, classes: int = 3) -> Tensor:
    """Return answers near the boxes and elsewhere, of right and wrong classes, with ties."""
    generator = torch.Generator().manual_seed(seed)
    pictures, boxes = targets.shape[:2]
    chosen = torch.randint(boxes, (pictures, count, 1), generator=generator)
    near = targets.gather(1, chosen.expand(-1, -1, 5)).clone()
    spread = near[..., 2:4].sub(near[..., :2]).abs().mean() / 4
    near[..., :4] += torch.randn(pictures, count, 4, generator=generator) * spread
    corners = torch.stack([near[..., :2], near[..., 2:4]])
    score = torch.randint(1, 30, (pictures, count, 1), generator=generator) / 30
    other = torch.randint(classes, (pictures, count), generator=generator).float()
    number = torch.where(near[..., 4] < -1, -2 - near[..., 4], near[..., 4])
    number = torch.where(torch.rand(pictures, count, generator=generator) < 0.2, other, number)
    return torch.cat([corners.amin(0), corners.amax(0), score, number[..., None]], dim=2)


def perfect_answers(targets: Tensor) -> Tensor:
    """Return the answers that are right: every box that counts, with a score of 1."""
    number = targets[..., 4:]
    rows = torch.cat([targets[..., :4], torch.ones_like(number), number], dim=2)
    return torch.where(number >= 0, rows, torch.tensor([0.0, 0, 0, 0, 0, -1]))
