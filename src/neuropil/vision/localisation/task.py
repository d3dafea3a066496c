"""Localisation: the class of the one thing in a picture, and the box around it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, final

import torch
from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers import Linear
from neuropil.runs.figures.decoded_metric import decoding_metric
from neuropil.text import number_of
from neuropil.training.losses.base import Loss
from neuropil.vision.detection.box_task import BoxTask, cut_off
from neuropil.vision.detection.detection_recipe import detection_recipe
from neuropil.vision.detection.grid_head import BOX_NUMBERS
from neuropil.vision.localisation.localisation_loss import decode_location, localisation_loss
from neuropil.vision.localisation.localisation_metrics import localisation_accuracy, mean_iou
from neuropil.vision.localisation.localisation_network import localisation_network
from neuropil.vision.placing import fixed_size

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core import Layer, Network, Shape
    from neuropil.core.loss_kinds import Takes
    from neuropil.datasets import Boxes, Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures
    from neuropil.training.metrics.base import Metric

# A picture has one box, so a batch needs more pictures than one of a detector.
BATCH = 16


@final
@dataclass(frozen=True)
class Localisation(BoxTask):
    """The class of the one thing in a picture and the box around it, or that there is none.

    Shape:
        Outputs ``(N, 5 + classes)``: t_c, t_x, t_y, t_h, t_w and the class scores. Targets
        ``(N, M, 5)``, of which the first row is the object. Answers ``(N, 1, 6)``: x₁, y₁, x₂,
        y₂ in pixels of the network's input, score, class; class −1 for no object.

    Args:
        target: The classes.
        size: Height and width of the pictures that the network takes.

    Raises:
        ValueError: If the size is not two lengths.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Boxes
        >>> task = Localisation(Boxes(["cat", "dog"]), size=(60, 80))
        >>> task.decode(torch.tensor([[9.0, 0, 0, 0, 0, -9, 9]]))[0, 0].round(decimals=1)
        tensor([20., 15., 60., 45.,  1.,  1.])
    """

    name: ClassVar[str] = "localisation"
    takes: ClassVar[Takes] = "values"

    target: Boxes
    size: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        height, width = (whole(side, "Localisation: a side") for side in self.size)
        object.__setattr__(self, "size", (height, width))  # a list becomes a tuple

    @override
    def adapt_to_labels(self, labels: Tensor) -> Self:
        """Check that no training picture has several boxes.

        Raises:
            ValueError: If one has.
        """
        counts = (labels[..., 4] != -1).sum(1)
        several = int((counts > 1).sum())
        if several:
            raise ValueError(
                f"localisation is for pictures of one thing, but there are up to "
                f"{int(counts.max())} boxes in {number_of(several, 'training picture')}: use "
                f"--task detection."
            )
        return self

    @override
    def adapt_recipe(self, made: Recipe, splits: Splits) -> Recipe:
        return detection_recipe(made, splits, batch_size=BATCH)

    @override
    def last_layer(self) -> Layer:
        return Linear(self.outputs)

    @override
    def network(self, input_shape: Shape, *, steady: bool = False, **_: bool) -> Network:
        options = {"dropout": 0.0} if steady else {}
        return localisation_network(input_shape, len(self.classes), **options)

    @override
    def adapt_to(self, network: Network) -> Self:
        self.check(network)
        return replace(self, size=fixed_size(network, self.name))

    @property
    @override
    def loss(self) -> Loss:
        return Loss.of(functools.partial(localisation_loss, size=self.size))

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        found = decode_location(outputs, self.size)
        best, number = found[:, BOX_NUMBERS:].max(1, keepdim=True)
        present = found[:, :1]
        rows = torch.cat([found[:, 1:BOX_NUMBERS], present * best, number.to(found.dtype)], 1)
        nothing = rows.new_tensor([0, 0, 0, 0, 0, -1])
        return torch.where(present < 0.5, nothing, cut_off(rows, *self.size))[:, None]

    @override
    def metrics(self) -> tuple[Metric, ...]:
        own = (localisation_accuracy.with_name("accuracy"), mean_iou)
        return tuple(decoding_metric(self, metric) for metric in own)

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        accuracy, overlap = figures["accuracy"], figures["mean_iou"]
        where = "" if overlap is None else f", with a mean IoU of {overlap:.3f}"
        return f"{accuracy or 0:.1%} of the {examples} classified correctly{where}"
