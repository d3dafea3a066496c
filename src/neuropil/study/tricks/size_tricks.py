"""Tricks: pictures of other sizes, in all of a training or in its first part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.analysis import cost
from neuropil.datasets.target import Target
from neuropil.layers import Convolution, Input
from neuropil.study.tricks.augmentation_tricks import steps_of
from neuropil.study.tricks.layer_variants import first_convolution, varied
from neuropil.study.tricks.trick import SetupChange, Trick, rewritten

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.study.setups.rewriting import Change
    from neuropil.study.setups.setup import Setup

SIZES = "Input image size"
STRIDES = "Conv1 parameters"
# The part of the epochs, at their full cost, that is left for the full size.
FULL_SIZE = 0.25


def resize_by(factor: float, stride: float = 1.0) -> SetupChange:
    """Return the change of the size of all pictures.

    Args:
        factor: Factor of both sides.
        stride: Factor of the stride of the first convolution; below 1 also of its length.
    """

    def change(setup: Setup, task: Task[Any]) -> Setup | str:
        if setup.first is not None:
            return "the network is trained at several sizes"
        shape = setup.recipe.network.input_shapes[0]
        if why := refusal(setup.recipe, task):
            return why
        size: Any = tuple(max(1, round((side or 1) * factor)) for side in shape[1:])

        def plan(network: Network) -> Change | str:
            return with_size(network, size, stride)

        network = rewritten(setup.recipe.network, plan, "the pictures have that size")
        if isinstance(network, str):
            return network
        return replace(setup, recipe=replace(setup.recipe, network=network), size=size)

    return change


def refusal(recipe: Recipe, task: Task[Any]) -> str:
    """Return why inputs cannot be resized; empty if they can."""
    shape = recipe.network.input_shapes[0]
    if len(shape) != 3 or None in shape:
        return "the inputs are not pictures of one size"
    if any(getattr(step, "size", None) for step in steps_of(recipe)):
        return "the augmentation gives pictures of a fixed size"
    if type(task.target).move is not Target.move:
        return f"{task.target.kind} have a place in the picture"
    return ""


def with_size(network: Network, size: tuple[int, int], stride: float) -> Change | str:
    """Return the change of a network to pictures of another size, and of its first stride."""
    first = first_convolution(network) if stride != 1 else None
    if stride != 1 and first is None:
        return "the network has no convolution"

    def change(name: str, layer: Layer, shapes: tuple[Shape, ...]) -> Layer | None:
        if isinstance(layer, Input) and len(layer.shape) == 3:
            return varied(layer, shape=(layer.shape[0], *size))
        if name != first or not isinstance(layer, Convolution):
            return None
        own = layer.windows_over(shapes[0])
        if any(window.stride * stride != int(window.stride * stride) for window in own):
            raise ValueError("the first convolution has an odd stride")
        strides = tuple(int(window.stride * stride) for window in own)
        sizes = tuple(shorter(window.size) if stride < 1 else window.size for window in own)
        return varied(layer, kernel_size=sizes, stride=strides)

    return change


def shorter(length: int) -> int:
    """Return half of a filter's length, as an odd number from 3."""
    return max(min(length, 3), length // 4 * 2 + 1)


def small_then_large(setup: Setup, task: Task[Any]) -> Setup | str:
    """Return a training at half the size and then at the full size, at about equal cost."""
    small = resize_by(0.5)(setup, task)
    if isinstance(small, str):
        return small
    epochs = setup.recipe.epochs
    last = max(1, round(FULL_SIZE * epochs))
    if last == epochs:
        return "a single epoch cannot be divided"
    ratio = multiply_adds(setup.recipe.network) / multiply_adds(small.recipe.network)
    earlier = replace(small.recipe, epochs=max(1, round((epochs - last) * ratio)))
    tuned = replace(setup.recipe, epochs=last)
    return replace(setup, recipe=tuned, first=replace(small, recipe=earlier))


def multiply_adds(network: Network) -> int:
    """Return the multiply–adds of one example."""
    return max(1, cost(network).multiply_adds)


GROUP = "picture size"
SIZE_TRICKS = (
    Trick(
        "small_then_large",
        "Half the picture size first, at equal cost",
        GROUP,
        small_then_large,
    ),
    Trick(
        "double_size_and_stride",
        "Twice the picture size and twice the first stride",
        GROUP,
        resize_by(2.0, stride=2.0),
        -1.8,
        (STRIDES, "224_K11_S8"),
    ),
    Trick(
        "half_size_and_stride",
        "Half the picture size and half the first stride",
        GROUP,
        resize_by(0.5, stride=0.5),
        -2.6,
        (STRIDES, "64_K5_S2"),
    ),
    Trick(
        "half_size",
        "Half the picture size",
        GROUP,
        resize_by(0.5),
        -16.2,
        (SIZES, "64x64"),
    ),
    Trick(
        "three_quarter_size",
        "Three quarters of the picture size",
        GROUP,
        resize_by(0.75),
        -5.7,
        (SIZES, "96x96"),
    ),
    Trick("double_size", "Twice the picture size", GROUP, resize_by(2.0)),
)
