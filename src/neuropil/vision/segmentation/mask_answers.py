"""Predicted masks in files: at the size of the picture, by class, and as run lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neuropil.datasets.masks.mask_file import resize_mask
from neuropil.datasets.masks.masks_target import IGNORED, pad_together
from neuropil.vision.record_parts import picture_numbers
from neuropil.vision.segmentation.run_lengths import encode_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from neuropil.datasets import PredictionInputs


def place_masks(answers: Tensor, given: PredictionInputs) -> Tensor:
    """Return masks at the size of their picture files, which may have been resized.

    Args:
        answers: The masks in pixels of the network's input.
        given: The pictures.
    """
    if given.sizes is None:
        return answers
    inputs = given.inputs
    one = isinstance(inputs, torch.Tensor)
    placed = []
    for place, (mask, size) in enumerate(zip(answers, given.sizes, strict=True)):
        height, width = inputs.shape[-2:] if one else inputs.size_of(place)
        placed.append(torch.from_numpy(resize_mask(mask[:height, :width].numpy(), size)))
    return pad_together(placed)


def own_part(mask: Tensor) -> Tensor:
    """Return a predicted mask without the padding after it."""
    inside = mask != IGNORED
    return mask[: int(inside.any(1).sum()), : int(inside.any(0).sum())]


def parts_of(answers: Tensor, classes: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the picture, class and number of pixels of each class that each picture shows.

    Args:
        answers: The masks.
        classes: The classes to look for.
    """
    found = []
    for place, mask in enumerate(answers):
        counts = mask.flatten().bincount(minlength=IGNORED).tolist()
        found += [(place, number, counts[number]) for number in classes if counts[number]]
    return found


def shares_of(answer: Tensor, classes: Sequence[int]) -> list[tuple[int, float]]:
    """Return each class that a picture shows with its share of the pixels, the largest first.

    Args:
        answer: The mask.
        classes: The classes to look for.
    """
    whole = max(1, own_part(answer).numel())
    shares = [(number, count / whole) for _, number, count in parts_of(answer[None], classes)]
    return sorted(shares, key=lambda pair: -pair[1])


def mask_row(mask: Tensor, names: Sequence[str], classes: Sequence[int]) -> dict[str, Any]:
    """Return a mask as plain data: the pixels and the run lengths of each class.

    Args:
        mask: The mask.
        names: Name of each class.
        classes: The classes to write.
    """
    own = own_part(mask)
    found = [
        {"class": names[number], "pixels": count} | encode_runs(own == number)
        for _, number, count in parts_of(own[None], classes)
    ]
    return {"masks": found}


def mask_records(
    answers: Tensor, names: Sequence[str], classes: Sequence[str], judged: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield a record for each class of each picture, in the form of the results of COCO.

    The number of a category is that of its class. The number of a picture is the name of its
    file, if that is a number, as in COCO itself; else it is this name. Pictures that would
    share a number have their whole names.

    Args:
        answers: The masks.
        names: Names of the pictures.
        classes: Name of each class.
        judged: The classes to write.
    """
    numbers = picture_numbers(names)
    for place, number, count in parts_of(answers, judged):
        yield {
            "image_id": numbers[place],
            "file_name": names[place],
            "category_id": number,
            "category": classes[number],
            "segmentation": encode_runs(own_part(answers[place]) == number),
            "area": count,
        }
