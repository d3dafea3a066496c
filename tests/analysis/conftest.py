"""Networks of published shape, composed layer by layer."""

from collections.abc import Callable

import pytest
import torch

from neuropil import Network, join, layers, parallel

VGG = {
    "vgg11": (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    "vgg16": (
        *(64, 64, "M", 128, 128, "M", 256, 256, 256, "M"),
        *(512, 512, 512, "M", 512, 512, 512, "M"),
    ),
}


def vgg(plan):
    parts = [
        layers.MaxPooling(2)
        if k == "M"
        else layers.Convolution(k, 3, padding=1) >> layers.Relu()
        for k in plan
    ]
    return join(*parts) >> classifier()


def classifier():
    return (
        layers.Flatten()
        >> layers.Relu(4096)
        >> layers.Dropout(0.5)
        >> layers.Relu(4096)
        >> layers.Dropout(0.5)
        >> layers.Softmax(1000)
    )


def alexnet():
    return (
        layers.Convolution(64, 11, stride=4, padding=2)
        >> layers.Relu()
        >> layers.MaxPooling(3, stride=2)
        >> layers.Convolution(192, 5, padding=2)
        >> layers.Relu()
        >> layers.MaxPooling(3, stride=2)
        >> layers.Convolution(384, 3, padding=1)
        >> layers.Relu()
        >> layers.Convolution(256, 3, padding=1)
        >> layers.Relu()
        >> layers.Convolution(256, 3, padding=1)
        >> layers.Relu()
        >> layers.MaxPooling(3, stride=2)
        >> classifier()
    )


def normalized(filters, size, stride=1):
    return (
        layers.Convolution(filters, size, stride=stride, padding=size // 2, bias=False)
        >> layers.BatchNorm()
    )


def basic(width, stride, changes):
    main = normalized(width, 3, stride) >> layers.Relu() >> normalized(width, 3)
    return residual(
        main, normalized(width, 1, stride) if changes and stride > 1 else layers.Identity()
    )


def bottleneck(width, stride, changes):
    main = (
        normalized(width, 1) >> layers.Relu() >> normalized(width, 3, stride) >> layers.Relu()
    )
    shortcut = normalized(4 * width, 1, stride) if changes else layers.Identity()
    return residual(main >> normalized(4 * width, 1), shortcut)


def residual(main, shortcut):
    return parallel(main, shortcut) >> layers.Elementwise("add") >> layers.Relu()


def resnet(block, counts):
    """Compose a residual network whose stages end in layers named stage1 to stage4."""
    network = normalized(64, 7, 2) >> layers.Relu() >> layers.MaxPooling(3, stride=2, padding=1)
    for stage, count in enumerate(counts):
        for turn in range(count):
            stride = 2 if stage and not turn else 1
            network = network >> block(64 * 2**stage, stride, changes=turn == 0)
        network = network >> layers.Identity(name=f"stage{stage + 1}")
    return network >> layers.GlobalPooling("avg") >> layers.Softmax(1000)


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
            return layers.Input(*shape) >> ARCHITECTURES[name]()

    return compose


@pytest.fixture
def small_networks() -> dict[str, Network]:
    """Return networks of each structure that fit in a test."""
    return {
        "chain": (
            layers.Input(3, 20, 20)
            >> layers.Convolution(8, 3, padding=1)
            >> layers.BatchNorm()
            >> layers.Relu()
            >> layers.MaxPooling(2)
            >> layers.Flatten()
            >> layers.Relu(12)
            >> layers.Dropout(0.5)
            >> layers.Softmax(5)
        ),
        "residual": (
            layers.Input(4, 18, 18)
            >> layers.Relu()
            >> residual(
                normalized(4, 3) >> layers.Relu() >> normalized(4, 3), layers.Identity()
            )
            >> layers.AveragePooling(3, stride=2)
            >> residual(normalized(4, 3), normalized(4, 1))
            >> layers.GlobalPooling("avg")
            >> layers.Softmax(3)
        ),
        "two inputs": (
            parallel(
                layers.Input(1, 12, 12, name="picture")
                >> layers.Convolution(2, 5)
                >> layers.Relu()
                >> layers.Flatten()
                >> layers.Relu(9),
                layers.Input(7, name="table") >> layers.Relu(9),
            )
            >> layers.Elementwise("multiply")
            >> layers.Softmax(4)
        ),
    }
