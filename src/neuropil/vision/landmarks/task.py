"""Landmark detection: the places of named points in a picture."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.datasets import Points
from neuropil.datasets.augmentation import Compose, RandomFlip
from neuropil.datasets.points.point_names import pairs_by_name
from neuropil.layers import Linear
from neuropil.runs.task import Mistake
from neuropil.training.losses.base import Loss
from neuropil.vision.backbone_task import BackboneTask, named_backbone
from neuropil.vision.landmarks.landmark_loss import decode_landmarks, landmark_loss
from neuropil.vision.landmarks.landmark_net import LandmarkNet
from neuropil.vision.landmarks.landmark_recipe import landmark_recipe
from neuropil.vision.landmarks.normalized_error import (
    NAME,
    landmark_metrics,
    picture_errors,
    point_errors,
)
from neuropil.vision.landmarks.point_task import PointTask
from neuropil.vision.placing import fixed_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from neuropil.core import Layer, Network, Shape
    from neuropil.core.loss_kinds import Takes
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures
    from neuropil.training.metrics.base import Metric


@final
@dataclass(frozen=True)
class Landmarks(BackboneTask[Points], PointTask):
    """The places of the same named points in each picture, and whether each is visible.

    Shape:
        Outputs ``(N, 3P)``: t_x, t_y, t_v of each point. Targets ``(N, P, 3)``: x, y in pixels
        of the network's input, visibility. Answers ``(N, P, 3)``: x, y, probability of
        visibility.

    Args:
        target: The names of the points.
        size: Height and width of the pictures that the network takes.
        backbone_rate: The learning rate of the backbone, as a part of that of the rest.

    Raises:
        ValueError: If the size is not two lengths.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Points
        >>> task = Landmarks(Points(["nose"]), size=(60, 80))
        >>> task.decode(torch.tensor([[0.0, -0.5, 0.0]])).tolist()
        [[[40.0, 15.0, 0.5]]]
    """

    name: ClassVar[str] = "landmarks"
    takes: ClassVar[Takes] = "values"

    target: Points
    size: tuple[int, int] = (1, 1)
    backbone_rate: float = 1.0

    def __post_init__(self) -> None:
        height, width = (whole(side, "Landmarks: a side") for side in self.size)
        object.__setattr__(self, "size", (height, width))  # a list becomes a tuple
        number(self.backbone_rate, "backbone_rate", "[0, 1]")

    @override
    def last_layer(self) -> Layer:
        return Linear(self.outputs)

    @override
    def network(self, input_shape: Shape, **_: bool) -> Network:
        return LandmarkNet(len(self.target.points), input_shape)

    @override
    def named_network(self, name: str, input_shape: Shape) -> Network:
        body = named_backbone(name, input_shape[0])
        return LandmarkNet(len(self.target.points), input_shape, backbone=body)

    @override
    def adapt_recipe(self, made: Recipe, splits: Splits) -> Recipe:
        return landmark_recipe(made, splits)

    @override
    def adapt_to(self, network: Network) -> Self:
        self.check(network)
        return replace(self, size=fixed_size(network, self.name))

    @override
    def notes(self) -> list[str]:
        if self.target.pairs:
            return []
        why = pairs_by_name(self.target.points)[1]
        names = "name the points of the two sides left_… and right_…"
        arrays = "for arrays with --target, where face68 names the 68 landmarks of a face"
        return [f"Pictures are not mirrored, since {why}: {names}, {arrays}."]

    @override
    def bind(self, augment: Callable[..., Any] | None) -> Callable[..., Any] | None:
        """Return an augmentation that moves the points along.

        Raises:
            ValueError: If it mirrors pictures, and the names do not tell left from right.
        """
        steps = augment.steps if isinstance(augment, Compose) else [augment]
        if not self.target.pairs and any(isinstance(step, RandomFlip) for step in steps):
            raise ValueError(
                f"the augmentation {augment!r} mirrors pictures, but "
                f"{pairs_by_name(self.target.points)[1]}: leave RandomFlip out."
            )
        return super().bind(augment)

    @property
    @override
    def loss(self) -> Loss:
        return Loss.of(functools.partial(landmark_loss, size=self.size))

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        return decode_landmarks(outputs, self.size)

    @override
    def metrics(self) -> tuple[Metric, ...]:
        return landmark_metrics(self)

    @property
    def unit(self) -> str:
        """The size that errors are a part of, in words."""
        if self.target.eyes:
            return "the distance between the eyes"
        alone = len(self.target.points) == 1
        return f"the diagonal of {'the picture' if alone else 'the box around the points'}"

    def point_errors(self, answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the error of each point in this unit, and which points count.

        Args:
            answers: The answers of `decode`.
            targets: The labels.
        """
        return point_errors(answers, targets, self.target.eyes, math.hypot(*self.size))

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return all pictures whose points have an error, largest mean error first."""
        errors, counts = self.point_errors(answers, targets)
        means = picture_errors(errors, counts)
        pictures = counts.any(dim=1).nonzero()[:, 0]
        order = means.argsort(descending=True, stable=True).tolist()
        far = errors.masked_fill(~counts, -1.0)
        found = []
        for picture, mean in [(int(pictures[place]), float(means[place])) for place in order]:
            worst = int(far[picture].argmax())
            words = f"{self.target.points[worst]} off by {float(far[picture, worst]):.3f}"
            found.append(Mistake(picture, words, mean))
        return [mistake for mistake in found if mistake.size > 0]

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        error = figures[NAME]
        if error is None:
            return (
                f"no error can be given for the {examples}, which lack the points that set "
                f"{self.unit}"
            )
        return f"points off by {error:.1%} of {self.unit} on average over the {examples}"
