"""Landmark detection: the places of named points in a picture."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.datasets import Points
from neuropil.datasets.augmentation import Compose, RandomFlip
from neuropil.datasets.points.point_names import pairs_by_name
from neuropil.layers import Linear
from neuropil.runs.task import Mistake, Task
from neuropil.text import number_of, some_of
from neuropil.training.losses.base import Loss
from neuropil.vision.detection import detection_network as networks
from neuropil.vision.landmarks.landmark_loss import decode_landmarks, landmark_loss
from neuropil.vision.landmarks.landmark_net import landmark_net
from neuropil.vision.landmarks.landmark_recipe import landmark_recipe
from neuropil.vision.landmarks.normalized_error import (
    NAME,
    landmark_metrics,
    picture_errors,
    point_errors,
)
from neuropil.vision.placing import file_places, fixed_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from neuropil.core import Layer, Network, Shape
    from neuropil.core.loss_kinds import Takes
    from neuropil.datasets import PredictionInputs, Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures
    from neuropil.training.metrics.base import Metric

# A point with a smaller probability of being visible is predicted to be hidden.
VISIBLE = 0.5
# The maximum number of points listed by name.
MOST_NAMES = 5


@final
@dataclass(frozen=True)
class Landmarks(Task[Points]):
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
        >>> task = Landmarks(Points(["nose"]), size=(60, 80))
        >>> task.decode(torch.tensor([[0.0, -0.5, 0.0]])).tolist()
        [[[40.0, 15.0, 0.5]]]
    """

    name: ClassVar[str] = "landmarks"
    takes: ClassVar[Takes] = "values"
    asks: ClassVar[str] = "numbers of points"
    answers: ClassVar[str] = "points"
    needs_mask: ClassVar[bool] = False

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
        return landmark_net(len(self.target.points), input_shape)

    @override
    def named_network(self, name: str, input_shape: Shape) -> Network:
        body = networks.named_backbone(name, input_shape[0])
        return landmark_net(len(self.target.points), input_shape, backbone=body)

    @override
    def published_part(self, network: Network, name: str | None) -> tuple[Network, str | None]:
        return networks.backbone_of(network), name

    @override
    def adapt_to_weights(self) -> Self:
        return replace(self, backbone_rate=networks.PUBLISHED_RATE)

    @override
    def parameters(self, network: Network, lr: float | None) -> Iterable[Any]:
        return networks.parameter_groups(network, lr, self.backbone_rate)

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
        names = "name points with two sides left_… and right_…"
        arrays = "(arrays: --target NAMES, or face68 for the 68 landmarks of a face)"
        return [f"Pictures are not mirrored, since {why}: {names} {arrays}."]

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
    def place(self, answers: Tensor, given: PredictionInputs) -> Tensor:
        """Return points in the pixels of the files, which may have been resized.

        Args:
            answers: The points in pixels of the network's input.
            given: The pictures.
        """
        found = file_places(given, len(answers))
        if found is None:
            return answers
        places = answers[..., :2] * found.factors[:, None].to(answers)
        return torch.cat([places, answers[..., 2:]], dim=-1)

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
            words = f"{self.target.points[worst]} off by {float(far[picture, worst]):.1%}"
            found.append(Mistake(picture, words, mean))
        return [mistake for mistake in found if mistake.size > 0]

    @override
    def goal(self) -> str:
        points = self.target.points
        return f"{number_of(len(points), 'landmark')} ({some_of(points, MOST_NAMES)})"

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        error = figures[NAME]
        if error is None:
            return f"no error is known for the points of the {examples}"
        return f"points off by {error:.1%} of {self.unit} on average over the {examples}"

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for name, points in zip(names, answers.tolist(), strict=True):
            found = {
                point: {"x": short(x), "y": short(y), "visible": short(seen)}
                for point, (x, y, seen) in zip(self.target.points, points, strict=True)
            }
            yield {"name": name, "points": found}

    @override
    def records(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield a record for each picture, in the form of the results of COCO.

        The number of a picture is the name of its file, if that is a number, as in COCO itself;
        else it is this name.

        Args:
            answers: The points.
            names: Names of the pictures.
        """
        for name, points in zip(names, answers, strict=True):
            stem = PurePath(name).stem
            flat = [short(value) for x, y, v in points.tolist() for value in (x, y, state(v))]
            yield {
                "image_id": int(stem) if stem.isdecimal() else stem,
                "file_name": name,
                "category_id": 1,
                "keypoints": flat,
                "score": short(float(points[:, 2].mean())),
            }

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        """Return the points as the columns of a table of points, as it can be read again."""
        columns: dict[str, list[str] | list[float]] = {}
        for place, name in enumerate(self.target.points):
            x, y, seen = answers[:, place].T.tolist()
            columns[f"{name}_x"], columns[f"{name}_y"] = (
                list(map(short, x)),
                list(map(short, y)),
            )
            columns[f"{name}_v"] = list(map(state, seen))
        return columns

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        words = [
            f"{name} ({x:.1f}, {y:.1f}{', hidden' * (seen < VISIBLE)})"
            for name, (x, y, seen) in zip(self.target.points, answer.tolist(), strict=True)
        ]
        return some_of(words, MOST_NAMES)

    @override
    def facts(self) -> dict[str, Any]:
        return {"points": self.target.points, "columns": ["x", "y", "visible"]}


def state(seen: float) -> float:
    """Return the visibility of a point as labels have it: 2 for visible, 1 for hidden."""
    return 2.0 if seen >= VISIBLE else 1.0


def short(value: float) -> float:
    """Return a number without the digits that single precision does not have."""
    return float(f"{value:.6g}")
