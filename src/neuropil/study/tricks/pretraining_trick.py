"""The trick of a detector whose features first learn to classify."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.layers import GlobalPooling, Input, Softmax
from neuropil.study.setups.rewriting import rewrite
from neuropil.study.setups.setup import Setup
from neuropil.study.tricks.layer_variants import varied
from neuropil.study.tricks.trick import Trick
from neuropil.vision.backbone_task import backbone_of

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.runs.task import Task

# Side of the pictures of single things.
SIDE = 48
# Epochs of the classification, as a part of those of the detection.
EPOCHS = 0.25
# A picture has several things, and they are small: larger batches cost as much.
BATCHES = 8


def pretrain(setup: Setup, task: Task[Any]) -> Setup | str:
    """Return a training whose backbone first learns to classify what is in the boxes."""
    if task.target.kind != "boxes":
        return "the labels are not boxes"
    if setup.first is not None:
        return "the network is trained before already"
    recipe = setup.recipe
    backbone = backbone_of(recipe.network)
    if backbone is recipe.network or len(backbone.output_shape or ()) != 3:
        return "the network has no backbone with layers named stage1, stage2 and so on"
    earlier = replace(
        recipe,
        network=classifier(backbone, len(task.target.classes)),
        epochs=max(1, round(EPOCHS * recipe.epochs)),
        batch_size=BATCHES * recipe.batch_size,
        augment=None,
        patience=None,
        keep_best=False,
        freeze=None,
    )
    first = Setup(earlier, fraction=setup.fraction, size=(SIDE, SIDE), crops=True)
    return replace(setup, first=first)


def classifier(backbone: Network, classes: int) -> Network:
    """Return a network of the features of a backbone that classifies pictures of one thing."""

    def change(_: str, layer: Layer, __: tuple[Shape, ...]) -> Layer | None:
        if not isinstance(layer, Input):
            return None
        return varied(layer, shape=(layer.shape[0], SIDE, SIDE))

    return rewrite(backbone, change) >> GlobalPooling("avg") >> Softmax(classes)


PRETRAINING_TRICKS = (
    Trick(
        "pretrain",
        "Pretraining to classify what is in the boxes",
        "pretraining",
        pretrain,
    ),
)
