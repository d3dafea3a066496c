"""Pictures with masks: those with the most errors, and some with all predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.datasets.masks.masks_target import IGNORED
from neuropil.plots.palette import class_palette
from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import embed, to_bytes
from neuropil.report.page import Section
from neuropil.report.sections.detection.box_pictures import BoxedPicture, name_of
from neuropil.vision.segmentation.mask_answers import own_part

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.report.example_pictures import Picture
    from neuropil.report.subject import Subject

Array = np.ndarray[Any, Any]

# The pictures with the most errors that are shown, and the pictures with all predictions.
MOST_MISTAKES, MOST_PICTURES = 12, 10
WIDEST, LEAST = 640, 320
# Of more classes, no colours are explained: they are too alike.
MOST_NAMES = 12
# How much of a pixel is the colour of its class: inside an area, at its edge, and where wrong.
INSIDE, EDGE, STRONG = 0.25, 1.0, 0.8
# Missed pixels, and pixels too many.
MISSED, EXTRA = "#d55e00", "#56b4e9"


def mask_mistakes(subject: Subject) -> Section:
    """Return the pictures with the smallest Dice, their wrong pixels in colour."""
    evidence = subject.evidence
    answers, targets = map(torch.from_numpy, (evidence.answers, evidence.targets))
    mistakes = evidence.task.mistakes(answers, targets)
    shown = []
    for mistake in mistakes[:MOST_MISTAKES]:
        place = mistake.example
        pixels = picture_at(subject, evidence.data, place)
        predicted, true = (fitting(each[place], pixels) for each in (answers, targets))
        wrong = (predicted != true) & (true != IGNORED)
        judged = list(evidence.task.target.judged)
        missed, extra = wrong & np.isin(true, judged), wrong & np.isin(predicted, judged)
        drawn = blend(blend(pixels, extra, EXTRA, STRONG), missed, MISSED, STRONG)
        name = name_of(evidence.data, place)
        shown.append(BoxedPicture(name, page_picture(drawn), mistake.kind))
    return Section(
        "mask_mistakes",
        examples=shown,
        wrong=len(mistakes),
        all=len(targets),
        noun=subject.noun,
        part=WORDS[evidence.part],
    )


def mask_pictures(subject: Subject) -> Section:
    """Return some pictures with their predicted masks, in the order of the data."""
    evidence = subject.evidence
    figures: Any = subject.figures
    answers, count = torch.from_numpy(evidence.answers), len(evidence.targets)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_PICTURES)).round().astype(int))
    shown = []
    for place in places.tolist():
        pixels = picture_at(subject, evidence.data, place)
        answer = torch.from_numpy(fitting(answers[place], pixels))
        drawn = colored(pixels, answer, evidence.task.target.judged, len(evidence.classes))
        words = evidence.task.sentence(answer, figures, 1)
        shown.append(BoxedPicture(name_of(evidence.data, place), page_picture(drawn), words))
    return Section(
        "mask_pictures",
        examples=shown,
        legend=legend(subject, torch.from_numpy(evidence.answers[places])),
        noun=subject.noun,
        part=WORDS[evidence.part],
    )


def legend(subject: Subject, masks: Tensor) -> list[tuple[str, str]]:
    """Return the name and the colour of each class that masks show; of one class, nothing."""
    names, judged = subject.evidence.classes, subject.evidence.task.target.judged
    colors, found = class_palette(len(names)), set(masks.unique().tolist())
    seen = [(names[number], colors[number]) for number in judged if number in found]
    return seen[:MOST_NAMES] if len(judged) > 1 else []


def labelled_picture(subject: Subject, index: int) -> Picture:
    """Return a training picture with its true mask."""
    train, task = subject.splits.train, subject.evidence.task
    targets: Any = train.targets
    count = len(subject.evidence.classes)
    pixels = picture_at(subject, train, index)
    mask = torch.from_numpy(fitting(targets[index].cpu(), pixels))
    return page_picture(colored(pixels, mask, task.target.judged, count))


def answer_mask(_picture: Any, answer: Tensor, task: Any) -> Image:
    """Return a mask as a picture with a palette, whose values are those of the label files.

    Args:
        _picture: The picture, which is not drawn.
        answer: The mask, ``(H, W)``.
        task: The task.

    Example:
        >>> from neuropil.datasets import Masks
        >>> from neuropil.vision.segmentation.task import Segmentation
        >>> task = Segmentation(Masks(["background", "cell"], (0, 255)))
        >>> mask = answer_mask(None, torch.tensor([[0, 1]], dtype=torch.uint8), task)
        >>> mask.mode, np.asarray(mask).tolist()
        ('P', [[0, 255]])
    """
    from PIL import Image

    values = np.zeros(256, np.uint8)
    values[: len(task.classes)] = task.target.values
    palette = np.zeros((256, 3), np.uint8)
    colors = class_palette(max(task.target.judged) + 1)
    for number in task.target.judged:
        palette[values[number]] = rgb(colors[number])
    image = Image.fromarray(values[own_part(answer).numpy()])
    image.putpalette(palette.tobytes())
    return image


def picture_at(subject: Subject, data: Source, place: int) -> Array:
    """Return a picture in bytes, ``(H, W, 3)``."""
    pixels = to_bytes(data.fetch([place]).inputs[0], subject.data.limits)
    return pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, -1)


def fitting(mask: Tensor, pixels: Array) -> Array:
    """Return a mask without the padding after its picture."""
    return mask.numpy()[: pixels.shape[0], : pixels.shape[1]]


def colored(pixels: Array, mask: Tensor, judged: list[int], count: int) -> Array:
    """Return a picture with each judged class of a mask outlined and tinted in its colour.

    Args:
        pixels: The picture; a small one is enlarged.
        mask: The mask.
        judged: The numbers of the classes to show.
        count: Number of classes.
    """
    colors = class_palette(count)
    large, numbers = enlarged(pixels), enlarged(mask.numpy())
    edge = edges(numbers)
    for number in judged:
        own = numbers == number
        large = blend(large, own & ~edge, colors[number], INSIDE)
        large = blend(large, own & edge, colors[number], EDGE)
    return large


def edges(numbers: Array) -> Array:
    """Return the pixels with another class among their neighbours, two pixels wide."""
    found = np.zeros(numbers.shape, bool)
    around = np.pad(numbers, 2, mode="edge")
    height, width = numbers.shape
    for down, right in ((0, 2), (1, 2), (3, 2), (4, 2), (2, 0), (2, 1), (2, 3), (2, 4)):
        found |= around[down : down + height, right : right + width] != numbers
    return found


def enlarged(values: Array) -> Array:
    """Return a picture or a mask; a small one is enlarged by a whole factor."""
    factor = max(1, LEAST // max(values.shape[:2]))
    return values.repeat(factor, 0).repeat(factor, 1)


def blend(pixels: Array, where: Array, color: str, opacity: float) -> Array:
    """Return a picture with some pixels mixed with a colour."""
    mixed = (1 - opacity) * pixels[where] + opacity * np.array(rgb(color))
    changed = pixels.copy()
    changed[where] = mixed.round().astype(np.uint8)
    return changed


def rgb(color: str) -> list[int]:
    """Return red, green and blue of a colour such as ``#d55e00``."""
    return list(bytes.fromhex(color[1:]))


def page_picture(pixels: Array) -> Picture:
    """Return a picture for the page; a small one is enlarged by a whole factor."""
    from PIL import Image

    return embed(Image.fromarray(enlarged(pixels)), WIDEST)
