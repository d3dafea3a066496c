"""Detection: boxes around the things in a picture, each with a class."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets import Boxes
from neuropil.layers import BoxGrid
from neuropil.training.losses.base import Loss
from neuropil.vision.backbone_task import BackboneTask
from neuropil.vision.detection import detection_network as networks
from neuropil.vision.detection.anchors import Anchors, anchor_fit, describe_anchors, fit_anchors
from neuropil.vision.detection.box_task import BoxTask
from neuropil.vision.detection.cut_boxes import ignore_cut_boxes
from neuropil.vision.detection.detection_loss import detection_loss
from neuropil.vision.detection.detection_recipe import detection_recipe
from neuropil.vision.detection.figures.detection_metrics import (
    detection_metrics,
    detection_verdict,
)
from neuropil.vision.detection.figures.score_thresholds import fit_thresholds, keep_above
from neuropil.vision.detection.grid_head import GridHead
from neuropil.vision.detection.selection import detect_boxes
from neuropil.vision.detection.suppression_operator import OPERATOR
from neuropil.vision.regions import proposal_operator, search_operator
from neuropil.vision.regions.region_detection import detect_regions
from neuropil.vision.regions.region_head import RegionHead, anchors_of
from neuropil.vision.regions.region_loss import region_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.core import Layer, Network, Shape
    from neuropil.core.loss_kinds import Takes
    from neuropil.datasets import Splits
    from neuropil.runs.exporting.own_operator import OwnOperator
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures
    from neuropil.training.metrics.base import Metric

# The score threshold of every class, before validation has chosen one.
THRESHOLD = 0.5


@final
@dataclass(frozen=True)
class Detection(BackboneTask[Boxes], BoxTask):
    """Boxes around the things in a picture, each with a class and a score.

    The network ends in a `BoxGrid`, whose strides and anchors come from the training boxes, or
    in `RegionBoxes`, like those of the R-CNN family.

    Shape:
        Outputs ``(N, G_h, G_w, k·(5 + classes))`` or ``(N, R + A, 9 + classes)``, targets
        ``(N, M, 5)``, answers ``(N, 100, 6)``: x₁, y₁, x₂, y₂ in pixels of the network's input,
        score, class; the best score first, and rows of class −1 after the last box.

    Args:
        target: The classes.
        strides: The pixels from one cell to the next of each feature map.
        anchors: For each stride, the width and height in pixels of each anchor.
        thresholds: The score above which a box of each class is predicted.
        intervals: The 95 % interval of each threshold.
        anchor_fit: Mean IoU of the training boxes with the best anchor, and the best recall.
        backbone_rate: The learning rate of the backbone, as a part of that of the rest.
        regions: Number of regions of a network that looks at regions; 0 for a grid.

    Raises:
        ValueError: If thresholds do not fit the classes, or anchors the strides.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Boxes
        >>> task = Detection(Boxes(["cat", "dog"]), strides=[8], anchors=[[[4, 4]]])
        >>> outputs = torch.tensor([[[[-9.0] * 7, [9.0, -0.1257, 0, 0, 0.2412, -9, 9]]]])
        >>> task.decode(outputs)[0, 0].round(decimals=1)
        tensor([ 9.,  2., 14.,  6.,  1.,  1.])
    """

    name: ClassVar[str] = "detection"
    takes: ClassVar[Takes] = "values"

    target: Boxes
    strides: tuple[int, ...] = (8, 16)
    anchors: Anchors = (((32.0, 32.0),), ((64.0, 64.0),))
    thresholds: tuple[float, ...] = ()
    intervals: tuple[tuple[float, float], ...] = ()
    anchor_fit: tuple[float, ...] = ()
    backbone_rate: float = 1.0
    regions: int = 0

    def __post_init__(self) -> None:
        number(self.backbone_rate, "backbone_rate", "[0, 1]")
        last = BoxGrid(len(self.classes), anchors=self.anchors, strides=self.strides)
        given = tuple(number(each, "a threshold", "[0, 1]") for each in self.thresholds)
        if len(given) not in (0, len(self.classes)):
            raise ValueError(
                f"there are {len(self.classes)} classes, and {len(given)} thresholds."
            )
        own: dict[str, Any] = {
            "strides": last.strides,
            "anchors": last.anchors,
            "thresholds": given or (THRESHOLD,) * len(self.classes),
            "intervals": tuple((low, high) for low, high in self.intervals),
            "anchor_fit": tuple(self.anchor_fit),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)  # lists become tuples

    @property
    def grid(self) -> GridHead:
        """The predictors of a grid."""
        return GridHead(len(self.classes), self.strides, self.anchors)

    @property
    def head(self) -> GridHead | RegionHead:
        """The form of the outputs, by which boxes are encoded and decoded."""
        return RegionHead(len(self.classes), self.regions) if self.regions else self.grid

    @override
    def adapt_to_labels(self, labels: Tensor) -> Self:
        strides, anchors = fit_anchors(labels)
        fit = anchor_fit(anchors, labels)
        return replace(self, strides=strides, anchors=anchors, anchor_fit=fit)

    @override
    def adapt_recipe(self, made: Recipe, splits: Splits) -> Recipe:
        return detection_recipe(made, splits, freeze=self.frozen_stage(made.network))

    @override
    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        return ignore_cut_boxes(super().move(targets, matrix, size), targets, matrix)

    @override
    def last_layer(self) -> Layer:
        return BoxGrid(len(self.classes), anchors=self.anchors, strides=self.strides)

    @override
    def network(self, input_shape: Shape, **_: bool) -> Network:
        return networks.detection_network(self.grid, input_shape)

    @override
    def named_network(self, name: str, input_shape: Shape) -> Network:
        return networks.detection_network(self.grid, input_shape, name)

    @override
    def check(self, network: Network) -> None:
        networks.check_network(network, len(self.classes), self.last_layer())

    @override
    def adapt_to(self, network: Network) -> Self:
        self.check(network)
        head: Any = networks.head_of(network)
        own = anchors_of(network) if isinstance(head, RegionHead) else head
        adapted = replace(self, regions=getattr(head, "regions", 0))
        if own is None:  # regions without anchors
            return replace(adapted, anchor_fit=())
        if (own.strides, own.anchors) == (self.strides, self.anchors):
            return adapted
        return replace(adapted, strides=own.strides, anchors=own.anchors, anchor_fit=())

    @override
    def notes(self) -> list[str]:
        return describe_anchors(self.strides, self.anchors, *self.anchor_fit)

    @property
    @override
    def loss(self) -> Loss:
        loss: Any = region_loss if self.regions else detection_loss
        return Loss.of(functools.partial(loss, head=self.head))

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        detect: Any = detect_regions if self.regions else detect_boxes
        return detect(outputs, self.head)

    @override
    def chosen(self, answers: Tensor) -> Tensor:
        return keep_above(answers, self.thresholds)

    @override
    def settle(self, answers: Tensor, targets: Tensor) -> Self:
        found = fit_thresholds(answers, targets, len(self.classes))
        return replace(self, thresholds=found.thresholds, intervals=found.intervals)

    @override
    def metrics(self) -> tuple[Metric, ...]:
        return detection_metrics(self, self.classes, self.thresholds)

    @override
    def main_metric(self) -> Metric:
        return next(metric for metric in self.metrics() if metric.name == "ap50")

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        return detection_verdict(figures, len(self.classes), examples)

    @override
    def facts(self) -> dict[str, Any]:
        return super().facts() | {"thresholds": self.thresholds}

    @override
    def own_operators(self) -> Sequence[OwnOperator]:
        return (OPERATOR, proposal_operator.OPERATOR, search_operator.OPERATOR)
