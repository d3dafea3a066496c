"""Segmentation: the class of each pixel of a picture."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets import Masks
from neuropil.datasets.masks.masks_target import IGNORED, pad_together
from neuropil.layers import Convolution
from neuropil.text import number_of, some_of
from neuropil.training.losses.base import Loss
from neuropil.vision.backbone_task import BackboneTask
from neuropil.vision.segmentation.mask_answers import (
    mask_records,
    mask_row,
    parts_of,
    place_masks,
    shares_of,
)
from neuropil.vision.segmentation.mask_metrics import segmentation_metrics
from neuropil.vision.segmentation.mask_mistakes import mask_mistakes
from neuropil.vision.segmentation.segmentation_loss import segmentation_loss
from neuropil.vision.segmentation.segmentation_network import (
    check_network,
    segmentation_network,
)
from neuropil.vision.segmentation.segmentation_recipe import segmentation_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuropil.core import Layer, Network, Shape
    from neuropil.core.loss_kinds import Takes
    from neuropil.datasets import PredictionInputs, Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures, Mistake
    from neuropil.training.metrics.base import Metric

# The maximum number of classes listed by name.
MOST_NAMES = 10


@final
@dataclass(frozen=True)
class Segmentation(BackboneTask[Masks]):
    """The class of each pixel of a picture.

    Shape:
        Outputs ``(N, classes, H, W)``, targets and answers ``(N, H, W)``: class numbers in
        bytes, 255 for pixels that count for nothing, and in answers after a smaller picture.

    Args:
        target: The classes.
        backbone_rate: The learning rate of the backbone, as a part of that of the rest.

    Raises:
        ValueError: If the rate is not from 0 to 1.

    Example:
        >>> from neuropil.datasets import Masks
        >>> task = Segmentation(Masks(["background", "cell"]))
        >>> task.decode(torch.tensor([[[[2.0, -1.0]], [[0.0, 3.0]]]]))
        tensor([[[0, 1]]], dtype=torch.uint8)
    """

    name: ClassVar[str] = "segmentation"
    takes: ClassVar[Takes] = "scores"
    asks: ClassVar[str] = "classes of pixels"
    answers: ClassVar[str] = "masks"
    needs_mask: ClassVar[bool] = False

    target: Masks
    backbone_rate: float = 1.0

    def __post_init__(self) -> None:
        number(self.backbone_rate, "backbone_rate", "[0, 1]")

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(self.target.classes)

    @property
    def judged(self) -> list[str]:
        """The names of the classes that figures judge: all but the background."""
        return [self.classes[each] for each in self.target.judged]

    @override
    def last_layer(self) -> Layer:
        return Convolution(self.outputs, 1)

    @override
    def network(self, input_shape: Shape, **_: bool) -> Network:
        return segmentation_network(self.outputs, input_shape)

    @override
    def named_network(self, name: str, input_shape: Shape) -> Network:
        return segmentation_network(self.outputs, input_shape, name)

    @override
    def adapt_recipe(self, made: Recipe, splits: Splits) -> Recipe:
        return segmentation_recipe(made, splits)

    @override
    def check(self, network: Network) -> None:
        check_network(network, self.outputs, self.last_layer())

    @property
    @override
    def loss(self) -> Loss:
        classes = tuple(self.target.judged)
        return Loss.of(functools.partial(segmentation_loss, classes=classes))

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(1).to(torch.uint8)

    @override
    def join(self, answers: Sequence[Tensor]) -> Tensor:
        sides = {each.shape[1:] for each in answers}
        if len(sides) == 1:
            return torch.cat(list(answers))
        return pad_together([mask for each in answers for mask in each])

    @override
    def place(self, answers: Tensor, given: PredictionInputs) -> Tensor:
        return place_masks(answers, given)

    @override
    def metrics(self) -> tuple[Metric, ...]:
        return segmentation_metrics(self, self.judged)

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the pictures whose masks are not exact, that with the smallest Dice first."""
        return mask_mistakes(answers, targets, self.target)

    @override
    def goal(self) -> str:
        names = ", ".join(self.judged[:MOST_NAMES])
        more = ", …" * (len(self.judged) > MOST_NAMES)
        return f"masks of {number_of(len(self.judged), 'class')} ({names}{more})"

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        dice, iou, each = (figures[name] for name in ("dice", "iou", "dice_per_picture"))
        if dice is None or iou is None or each is None:
            return f"no pixels of {' or '.join(self.judged[:MOST_NAMES])} in the {examples}"
        over = f" over {len(self.judged)} classes" if len(self.judged) > 1 else ""
        return (
            f"Dice {dice:.3f} and IoU {iou:.3f}{over} on the {examples}; {each:.3f} per picture"
        )

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for name, mask in zip(names, answers, strict=True):
            yield {"name": name} | mask_row(mask, self.classes, self.target.judged)

    @override
    def records(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        return mask_records(answers, names, self.classes, self.target.judged)

    @override
    def lines(self, answers: Tensor) -> list[int]:
        return [place for place, _, _ in parts_of(answers, self.target.judged)]

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        parts = parts_of(answers, self.target.judged)
        return {
            "class": [self.classes[number] for _, number, _ in parts],
            "pixels": [float(count) for _, _, count in parts],
        }

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        shares = shares_of(answer, self.target.judged)
        parts = [f"{share:.1%} {self.classes[number]}" for number, share in shares]
        return some_of(parts, MOST_NAMES) or "nothing"

    @override
    def facts(self) -> dict[str, Any]:
        return {"classes": self.classes, "values": self.target.values, "padding": IGNORED}
