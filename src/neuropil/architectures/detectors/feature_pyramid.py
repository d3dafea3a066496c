"""Features of a backbone at several strides, the coarse ones added to the fine ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from neuropil.checks import whole
from neuropil.core import Network, Shape, ShapeError, format_shape, join, parallel
from neuropil.layers import (
    AveragePooling,
    CellAlignment,
    CellPadding,
    Elementwise,
    Input,
    ResidualBlock,
    Upscale,
)
from neuropil.layers.blocks.block_style import Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.core.layer import Composable

# Channels of the first convolution of the default backbone; each halving doubles them.
FIRST_WIDTH = 16
# By how much pictures are shrunk for a backbone whose first stage keeps their size.
SHRINK = 4
# The side of the picture on which the strides of a backbone are measured: large enough for
# borders without padding to change no stride.
TRIAL_SIDE = 256


def pyramid_maps(
    what: str,
    backbone: Network | None,
    input_shape: Shape,
    strides: Sequence[int],
    width: int,
) -> list[Network]:
    """Return a map of features for each stride, as described for `yolo`.

    Args:
        what: Name of the architecture, for messages.
        backbone: A network with layers named ``stage1`` and so on; None for the default one.
        input_shape: Shape of a picture.
        strides: Powers of two, smallest first.
        width: Channels of each map.

    Raises:
        ValueError: When a stride is not a power of two, or the backbone has no stages.
    """
    if any(stride & (stride - 1) for stride in strides):
        raise ValueError(f"{what}: strides must be powers of two, got {list(strides)}.")
    style, width = Style(), whole(width, f"{what}: width")
    features = feature_pyramid(what, backbone, input_shape, strides[-1])
    merged: Network | None = None
    maps: list[Network] = []
    for place, stride in reversed([*enumerate(strides)]):
        found = features.get(stride)
        lateral = [] if found is None else [found >> style.unit(width, 1)]
        if merged is not None:
            lateral.append(merged >> Upscale(strides[place + 1] // stride))
        merged = parallel(*lateral) >> Elementwise("add") if len(lateral) > 1 else lateral[0]
        maps.insert(0, merged >> style.unit(width, 3))
    return maps


def feature_pyramid(
    what: str, backbone: Network | None, input_shape: Shape, coarsest: int
) -> dict[int, Network]:
    """Return the features of a picture by their stride, each with a position for each cell.

    Raises:
        ShapeError: When the backbone does not take the input.
        ValueError: When its features are coarser than the coarsest stride.
    """
    if len(input_shape) != 3:
        raise ShapeError(f"{what} takes images (C, H, W), got {format_shape(input_shape)}.")
    body = small_residual(input_shape, coarsest) if backbone is None else backbone
    source, found = Input(*input_shape), stage_maps(what, body)
    stages = {stride: name for stride, (name, _) in found.items()}
    shrink = SHRINK if min(stages) == 1 else 1
    source.load_state_dict(body.inputs[0].state_dict())  # weights expect their own mean
    picture = source >> CellPadding(coarsest)
    margin = shrink * lost_at_borders(found, coarsest // shrink)
    larger = source >> CellPadding(coarsest, margin=margin) if margin else picture
    try:
        front = larger if shrink == 1 else larger >> AveragePooling(shrink)
        whole_body = front >> body.after(body.node_names[0]).upto(*stages.values())
    except ShapeError as error:
        raise ShapeError(f"{what}: the backbone does not take {input_shape}: {error}") from None
    features: dict[int, Network] = {}
    for own_stride, name in stages.items():
        stride = shrink * own_stride
        if stride <= coarsest:
            both = parallel(whole_body.upto(name), picture)
            features[stride] = both >> CellAlignment(stride)
    if not features:
        first = shrink * min(stages)
        raise ValueError(
            f"{what}: the features of the backbone begin at a stride of {first}: give a "
            f"largest stride of at least that, got {coarsest}."
        )
    stride = max(features)
    while stride < coarsest:
        (channels, *_) = features[stride].output_shape or (None,)
        block = ResidualBlock(2 * (channels or 1), stride=2)
        features[2 * stride] = features[stride] >> block
        stride *= 2
    return features


def stage_strides(what: str, body: Network) -> dict[int, str]:
    """Return the last stage at each stride of a backbone, the smallest stride first.

    Raises:
        ValueError: When it has no stages.
    """
    return {stride: name for stride, (name, _) in stage_maps(what, body).items()}


def stage_maps(what: str, body: Network) -> dict[int, tuple[str, int]]:
    """Return the last stage at each stride, and the side of its map of a trial picture.

    Raises:
        ValueError: When there are no stages.
    """
    names = [name for name in body.layers if name.startswith("stage")]
    trial = Input(*body.input_shape[:1], TRIAL_SIDE, TRIAL_SIDE)
    with torch.device("meta"):
        shapes: dict[str, Shape] = {}
        for name in names:
            part = trial >> body.after(body.node_names[0]).upto(name)
            shapes[name] = part.output_shape or ()
    maps = {
        2 ** round(math.log2(TRIAL_SIDE / shape[1])): (name, shape[1])
        for name, shape in shapes.items()
        if len(shape) == 3 and shape[1]
    }
    if not maps:
        raise ValueError(
            f"{what}: the backbone has no features to start from: name its layers that end a "
            "resolution stage1, stage2 and so on."
        )
    return maps


def lost_at_borders(maps: dict[int, tuple[str, int]], coarsest: int) -> int:
    """Return the pixels at each side of a picture that layers without padding leave out.

    Args:
        maps: Result of `stage_maps`.
        coarsest: The largest stride that is used.
    """
    used = {stride: side for stride, (_, side) in maps.items() if stride <= coarsest}
    lost = max((TRIAL_SIDE - stride * side for stride, side in used.items()), default=0)
    return max(0, -(-lost // 2))


def small_residual(input_shape: Shape, coarsest: int) -> Network:
    """Return the features of a small residual network from a stride of 4 to the coarsest."""
    style, width = Style(), FIRST_WIDTH
    parts: list[Composable] = [
        Input(input_shape[0], None, None),
        style.unit(width, 5, stride=2),
        style.unit(2 * width, 3, stride=2),
        ResidualBlock(2 * width, name="stage1"),
    ]
    width, stride = 4 * width, 8
    while stride <= coarsest:
        name = f"stage{int(math.log2(stride)) - 1}"
        parts += [ResidualBlock(width, stride=2), ResidualBlock(width, name=name)]
        width, stride = 2 * width, 2 * stride
    return join(*parts)
