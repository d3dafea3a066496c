"""Small setups of many kinds, and examples for one step of each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from neuropil import Network, join
from neuropil.architectures import caffenet128, dense, small_convolutional, unet, yolo
from neuropil.datasets import Boxes, Classes, Masks, Numbers, make_digit_scenes
from neuropil.datasets.augmentation import RandomShift
from neuropil.layers import (
    BatchNorm,
    Convolution,
    GlobalPooling,
    Input,
    Linear,
    Relu,
    ResidualBlock,
    Softmax,
    Tanh,
)
from neuropil.runs.classification import Classification
from neuropil.runs.recipes.recipe import Recipe
from neuropil.runs.regression import Regression
from neuropil.study.setups.setup import Setup
from neuropil.vision.detection.task import Detection
from neuropil.vision.segmentation.task import Segmentation

if TYPE_CHECKING:
    from neuropil.runs.task import Task

CLASSIFICATION = Classification(Classes([*"abcd"]))
REGRESSION = Regression(Numbers((0.0,), (1.0,)))
DETECTION = Detection(Boxes([*"0123456789"]), strides=(8,), anchors=(((12.0, 12.0),),))
SEGMENTATION = Segmentation(Masks([*"ab"]))


class Case(NamedTuple):
    """A setup, its task, and examples as the loss takes them."""

    setup: Setup
    task: Task[Any]
    inputs: Tensor
    targets: Tensor


def setup_of(network: Network, **options: Any) -> Setup:
    own: dict[str, Any] = {"lr": 4e-3, "weight_decay": 1e-2, "schedule": "one_cycle"} | options
    return Setup(Recipe(network, "adamw", epochs=8, batch_size=8, **own))


def classes(network: Network, **options: Any) -> Case:
    inputs = torch.randn(6, *network.input_shape)
    return Case(setup_of(network, **options), CLASSIFICATION, inputs, torch.arange(6) % 4)


def residual(channels: int = 3) -> Network:
    front = Convolution(4, 3, padding=1, bias=False) >> BatchNorm() >> Relu()
    blocks = [ResidualBlock(4), ResidualBlock(8, stride=2, name="stage1")]
    return join(Input(channels, 8, 8), front, *blocks, GlobalPooling(), Softmax(4))


def scenes() -> Case:
    data = make_digit_scenes(6, size=48, digits=2, scale=(2, 3), validation=0, test=0)
    network = yolo(
        10, anchors=DETECTION.anchors, strides=(8,), input_shape=(1, 48, 48), width=4
    )
    inputs, targets = data.train.inputs, data.train.targets
    return Case(setup_of(network, augment=RandomShift(1)), DETECTION, inputs, targets)


def masks() -> Case:
    network = unet(2, input_shape=(3, 16, 16), width=4, depth=2)
    targets = torch.randint(0, 2, (4, 16, 16), dtype=torch.uint8)
    return Case(setup_of(network), SEGMENTATION, torch.randn(4, 3, 16, 16), targets)


def numbers() -> Case:
    network = join(Input(3), Tanh(4), Tanh(4), Linear(1))
    return Case(setup_of(network), REGRESSION, torch.randn(6, 3), torch.randn(6, 1))


def caffenet() -> Network:
    return caffenet128(4, width=0.0625, input_shape=(3, 32, 32))


CASES = {
    "tiny pictures": lambda: classes(small_convolutional((1, 8, 8), 4), augment=RandomShift(1)),
    "pictures": lambda: classes(small_convolutional((1, 28, 28), 4), ema=0.9),
    "caffenet": lambda: classes(caffenet()),
    "residual": lambda: classes(residual()),
    "table": lambda: classes(dense((5,), 4, hidden=(8, 8), dropout=0.1, linear_path=True)),
    "numbers": numbers,
    "boxes": scenes,
    "masks": masks,
}


@functools.cache
def case(name: str) -> Case:
    return CASES[name]()
