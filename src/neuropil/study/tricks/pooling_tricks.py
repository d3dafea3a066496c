"""Tricks: other pooling, or strides in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.layers import (
    AveragePooling,
    Convolution,
    Identity,
    MaxAveragePooling,
    MaxPooling,
)
from neuropil.study.tricks.layer_variants import (
    calls_in,
    given_options,
    keeps_positions,
    users_of,
    varied,
)
from neuropil.study.tricks.trick import SetupChange, Trick, on_networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.calls import Call
    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.layers.pooling.base import Pooling
    from neuropil.study.setups.rewriting import Change

TABLE = "Pooling type"
WINDOWS = "Pooling window/stride"
POOLINGS = (MaxPooling, AveragePooling, MaxAveragePooling)


def pool_by(make: type[Pooling], replaced: type[Pooling]) -> SetupChange:
    """Return the change of one kind of pooling to another, with the same windows."""

    def change(_: str, layer: Layer, __: tuple[Shape, ...]) -> Layer | None:
        if type(layer) is not replaced:
            return None
        own: Any = given_options(layer, ("size", "stride", "padding", "ceil_mode"))
        return make(**own)

    return on_networks(lambda _: change, f"the network has no {replaced.__name__}")


def windows(size: int, new_size: int, lacking: str, **options: Any) -> SetupChange:
    """Return the change of the windows of all poolings of one size and stride 2."""

    def change(_: str, layer: Layer, shapes: tuple[Shape, ...]) -> Layer | None:
        if not isinstance(layer, POOLINGS):
            return None
        own = layer.windows_over(shapes[0])
        if any((w.size, w.stride, w.dilation) != (size, 2, 1) for w in own):
            return None
        new = varied(layer, size=new_size, stride=2, **options)
        return None if repr(new) == repr(layer) else new

    return on_networks(lambda _: change, lacking)


def stride_for_pooling(network: Network) -> Change:
    """Return the change that gives the stride of each pooling to the convolution before it.

    Between the two may stand what works on each position alone, such as BatchNorm and Relu, if
    nothing else takes its output.
    """
    calls = calls_in(network)
    users = users_of(calls)
    strides: dict[str, tuple[int, ...]] = {}
    gone: set[str] = set()
    for call in calls:
        maker = convolution_before(calls, users, call)
        if isinstance(call.layer, POOLINGS) and maker and call.input_shapes:
            over = call.layer.windows_over(call.input_shapes[0])
            strides[maker.name] = tuple(window.stride for window in over)
            gone.add(call.name)

    def change(name: str, layer: Layer, shapes: tuple[Shape, ...]) -> Layer | None:
        if name in gone:
            return Identity()
        if name not in strides or not isinstance(layer, Convolution):
            return None
        own = zip(layer.windows_over(shapes[0]), strides[name], strict=True)
        return varied(layer, stride=tuple(window.stride * step for window, step in own))

    return change


def convolution_before(
    calls: Sequence[Call], users: Sequence[list[int]], call: Call
) -> Call | None:
    """Return the convolution whose output a layer takes, with nothing but points between."""
    while len(call.inputs) == 1 and call.inputs[0] >= 0 and len(users[call.inputs[0]]) == 1:
        call = calls[call.inputs[0]]
        if type(call.layer) is Convolution:
            return call
        if not keeps_positions(call.layer):
            return None
    return None


GROUP = "pooling"
POOLING_TRICKS = (
    Trick(
        "max_average_pooling",
        "The sum of maximum and mean in place of the maximum",
        GROUP,
        pool_by(MaxAveragePooling, MaxPooling),
        1.2,
        (TABLE, "Max+AvgPool"),
    ),
    Trick(
        "average_pooling",
        "Average pooling in place of max pooling",
        GROUP,
        pool_by(AveragePooling, MaxPooling),
        -3.6,
        (TABLE, "AvgPool"),
    ),
    Trick(
        "max_pooling",
        "Max pooling in place of average pooling",
        GROUP,
        pool_by(MaxPooling, AveragePooling),
    ),
    Trick(
        "strided_convolution",
        "Strides of the convolutions in place of pooling",
        GROUP,
        on_networks(stride_for_pooling, "no pooling follows a convolution"),
        0.1,
        (TABLE, "NoPool"),
    ),
    Trick(
        "pooling_2x2",
        "Pooling windows of 2×2 in place of 3×3",
        GROUP,
        windows(3, 2, "the network has no pooling in 3×3 windows", padding="valid"),
        1.3,
        (WINDOWS, "MaxPool 2x2/2"),
    ),
    Trick(
        "padded_pooling",
        "Padding of 1 around 3×3 pooling windows",
        GROUP,
        windows(3, 3, "the network has no unpadded pooling in 3×3 windows", padding=1),
        1.7,
        (WINDOWS, "MaxPool 3x3/2 pad1"),
    ),
    Trick(
        "pooling_3x3",
        "Pooling windows of 3×3 in place of 2×2",
        GROUP,
        windows(2, 3, "the network has no pooling in 2×2 windows", padding=1),
    ),
)
