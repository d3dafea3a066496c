"""Networks of published shape, composed layer by layer."""

from collections.abc import Callable

import pytest
import torch

from neuropil import Network, join, parallel
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Convolution,
    Dropout,
    Elementwise,
    Flatten,
    GlobalPooling,
    Identity,
    Input,
    MaxPooling,
    Relu,
    Softmax,
)

VGG = {
    "vgg11": (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    "vgg16": (
        *(64, 64, "M", 128, 128, "M", 256, 256, 256, "M"),
        *(512, 512, 512, "M", 512, 512, 512, "M"),
    ),
}


def vgg(plan):
    parts = [
        MaxPooling(2) if k == "M" else Convolution(k, 3, padding=1) >> Relu() for k in plan
    ]
    return join(*parts) >> classifier()


def classifier():
    return (
        Flatten() >> Relu(4096) >> Dropout(0.5) >> Relu(4096) >> Dropout(0.5) >> Softmax(1000)
    )


def alexnet():
    return (
        Convolution(64, 11, stride=4, padding=2)
        >> Relu()
        >> MaxPooling(3, stride=2)
        >> Convolution(192, 5, padding=2)
        >> Relu()
        >> MaxPooling(3, stride=2)
        >> Convolution(384, 3, padding=1)
        >> Relu()
        >> Convolution(256, 3, padding=1)
        >> Relu()
        >> Convolution(256, 3, padding=1)
        >> Relu()
        >> MaxPooling(3, stride=2)
        >> classifier()
    )


def normalized(filters, size, stride=1):
    return (
        Convolution(filters, size, stride=stride, padding=size // 2, bias=False) >> BatchNorm()
    )


def basic(width, stride, changes):
    main = normalized(width, 3, stride) >> Relu() >> normalized(width, 3)
    return residual(
        main, normalized(width, 1, stride) if changes and stride > 1 else Identity()
    )


def bottleneck(width, stride, changes):
    main = normalized(width, 1) >> Relu() >> normalized(width, 3, stride) >> Relu()
    shortcut = normalized(4 * width, 1, stride) if changes else Identity()
    return residual(main >> normalized(4 * width, 1), shortcut)


def residual(main, shortcut):
    return parallel(main, shortcut) >> Elementwise("add") >> Relu()


def resnet(block, counts):
    """Compose a residual network whose stages end in layers named stage1 to stage4."""
    network = normalized(64, 7, 2) >> Relu() >> MaxPooling(3, stride=2, padding=1)
    for stage, count in enumerate(counts):
        for turn in range(count):
            stride = 2 if stage and not turn else 1
            network = network >> block(64 * 2**stage, stride, changes=turn == 0)
        network = network >> Identity(name=f"stage{stage + 1}")
    return network >> GlobalPooling("avg") >> Softmax(1000)


ARCHITECTURES = {
    "alexnet": alexnet,
    "vgg11": lambda: vgg(VGG["vgg11"]),
    "vgg16": lambda: vgg(VGG["vgg16"]),
    "resnet18": lambda: resnet(basic, (2, 2, 2, 2)),
    "resnet50": lambda: resnet(bottleneck, (3, 4, 6, 3)),
}


@pytest.fixture(scope="session")
def architecture() -> Callable[..., Network]:
    """Return a function that composes a published network without any memory for weights."""

    def compose(name: str, shape: tuple[int | None, ...] = (3, 224, 224)) -> Network:
        with torch.device("meta"):
            return Input(*shape) >> ARCHITECTURES[name]()

    return compose


@pytest.fixture
def small_networks() -> dict[str, Network]:
    """Return networks of each structure that fit in a test."""
    return {
        "chain": (
            Input(3, 20, 20)
            >> Convolution(8, 3, padding=1)
            >> BatchNorm()
            >> Relu()
            >> MaxPooling(2)
            >> Flatten()
            >> Relu(12)
            >> Dropout(0.5)
            >> Softmax(5)
        ),
        "residual": (
            Input(4, 18, 18)
            >> Relu()
            >> residual(normalized(4, 3) >> Relu() >> normalized(4, 3), Identity())
            >> AveragePooling(3, stride=2)
            >> residual(normalized(4, 3), normalized(4, 1))
            >> GlobalPooling("avg")
            >> Softmax(3)
        ),
        "two inputs": (
            parallel(
                Input(1, 12, 12, name="picture")
                >> Convolution(2, 5)
                >> Relu()
                >> Flatten()
                >> Relu(9),
                Input(7, name="table") >> Relu(9),
            )
            >> Elementwise("multiply")
            >> Softmax(4)
        ),
    }
