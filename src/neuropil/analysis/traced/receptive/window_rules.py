"""What results see of convolutions, pooling and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, make_view
from neuropil.analysis.traced.receptive.axis_windows import (
    Cells,
    Motion,
    along,
    blocks,
    copies,
    shift,
    upsample,
    window_motion,
)
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import (
    in_shape,
    reduce_axes,
    union_of_groups,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.analysis.traced.receptive.operands import Result, Rule, Taken
    from neuropil.analysis.traced.receptive.regions import Reduction, Sizes


def per_axis(options: Any, rank: int, default: int) -> list[int]:
    """Return an option for each axis."""
    if isinstance(options, int):
        return [options] * rank
    options = [*options] if options is not None else []
    if not options:
        return [default] * rank
    return options if len(options) == rank else options * rank


def convolution(taken: Taken) -> Result:
    """Windows along the last axes, all channels of a group together."""
    return convolve(taken, 5, 6)


def transposed_convolution(taken: Taken) -> Result:
    """The same the other way round; the padding of its output stands before its groups."""
    return convolve(taken, 7, 6, transposed=True)


def any_convolution(taken: Taken) -> Result:
    """Either of these."""
    return convolve(taken, 5, 8, transposed=bool(taken.argument(6, "transposed")))


def convolve(taken: Taken, dilation: int, groups: int, *, transposed: bool = False) -> Result:
    """Return what a convolution sees.

    Args:
        taken: The operation.
        dilation: Where its dilation stands.
        groups: Where its groups stand.
        transposed: Whether it is transposed.
    """
    weight = taken.step.args[1].shape
    rank = len(weight) - 2
    strides = per_axis(taken.argument(3, "stride", 1), rank, 1)
    padding = taken.argument(4, "padding", 0)
    dilations = per_axis(taken.argument(dilation, "dilation", 1), rank, 1)
    if isinstance(padding, str):
        extents = [d * (f - 1) for d, f in zip(dilations, weight[2:], strict=True)]
        # Of an odd number of zeros PyTorch puts more at the end.
        padding = [extent // 2 if padding == "same" else 0 for extent in extents]
    options = zip(weight[2:], strides, per_axis(padding, rank, 0), dilations, strict=True)
    motions = [window_motion(*option, transposed=transposed) for option in options]
    # Of transposed ones in groups each output sees all of them: that is rare, and no less.
    return filter_channels(
        taken, motions, 1 if transposed else taken.argument(groups, "groups", 1)
    )


def filter_channels(taken: Taken, motions: Sequence[Motion], groups: int) -> Seen | None:
    """Return what windows see of all channels of a group."""
    seen, x = taken.of(taken.x), taken.x
    if seen is None or isinstance(seen, Unknown):
        return seen
    rank = len(x.shape)
    channels = rank - len(motions) - 1
    seen = mix_channels(seen, channels, groups, x.shape, taken.target)
    axes = range(channels + 1, rank)
    return along(taken, seen, dict(zip(axes, motions, strict=True)), taken.target)


def mix_channels(seen: Seen, axis: int, groups: int, shape: Sizes, target: Sizes) -> Seen:
    """Return what is seen by outputs each of which sees all channels of its group."""
    if isinstance(seen, View):
        if groups == 1 or seen.labels.shape[axis] == 1:
            return reduce_axes(seen, [axis], shape)
        seen_by_group = seen.labels.swapaxes(axis, -1)
        front = seen_by_group.shape[:-1]
        rows = seen_by_group.reshape(-1, shape[axis] // groups)
        grouped_labels = union_of_groups(seen, rows, shape)
        labels = grouped_labels.labels.reshape(*front, groups).swapaxes(axis, -1)
        labels = labels.repeat(target[axis] // groups, axis)
        return make_view(seen.axes, grouped_labels.kinds, labels, seen.lengths)
    if not isinstance(seen, Regions):
        return seen

    def change(array: Any, join: Reduction) -> Any:
        if array.shape[axis] == 1:
            return array
        by_group = array.reshape(
            *array.shape[:axis], groups, shape[axis] // groups, *array.shape[axis + 1 :]
        )
        array = join(by_group, axis=axis + 1)
        return array.repeat(target[axis] // groups, axis) if groups > 1 else array

    return seen.mapped(change)


def pooling(rank: int) -> Rule:
    """Return the rule of pooling along so many axes."""

    def rule(taken: Taken) -> Result:
        name = name_of(taken.step.operation).name
        sizes = per_axis(taken.argument(1, "kernel_size"), rank, 1)
        strides = per_axis(taken.argument(2, "stride", ()), rank, 0)
        strides = [stride or size for stride, size in zip(strides, sizes, strict=True)]
        padding = per_axis(taken.argument(3, "padding", 0), rank, 0)
        dilation: Any = 1 if "avg" in name else taken.argument(4, "dilation", 1)
        dilations = per_axis(dilation, rank, 1)
        options = zip(sizes, strides, padding, dilations, strict=True)
        return slide(taken, [window_motion(*option) for option in options])

    return rule


def slide(taken: Taken, motions: Sequence[Motion]) -> Seen | None:
    """Return what windows along the last axes see, each channel on its own."""
    seen, rank = taken.of(taken.x), len(taken.x.shape)
    if seen is None or isinstance(seen, Unknown):
        return seen
    axes = range(rank - len(motions), rank)
    return along(taken, seen, dict(zip(axes, motions, strict=True)), taken.target)


def adaptive_pooling(rank: int) -> Rule:
    """Return the rule of adaptive pooling along so many axes."""
    return lambda taken: slide(taken, [Cells()] * rank)


def upsampling(kind: str, rank: int) -> Rule:
    """Return the rule of an enlargement along so many axes."""

    def rule(taken: Taken) -> Result:
        # Of the forms of the operation one takes all factors at once.
        smooth = kind in {"linear", "cubic"}
        corners = smooth and bool(taken.argument(2, "align_corners"))
        names = ("scales",) if rank == 1 else ("scales_d", "scales_h", "scales_w")[-rank:]
        scales = [taken.argument(2 + smooth + i, name) for i, name in enumerate(names)]
        if name_of(taken.step.operation).overload == "vec":
            scales = taken.argument(2 + smooth, "scale_factors") or [None] * rank
        lengths = zip(taken.x.shape[-rank:], taken.target[-rank:], scales, strict=True)
        return slide(
            taken,
            [
                upsample(kind, inner, outer, corners=corners, scale=scale)
                for inner, outer, scale in lengths
            ],
        )

    return rule


def pad(taken: Taken) -> Result:
    """Zeros, or what lies near, around the last axes."""
    pads = taken.step.args[1]
    seen, shape = taken.of(taken.x), taken.x.shape
    motions = {
        len(shape) - 1 - i: shift(-start)
        for i, start in enumerate(pads[::2])
        if start or pads[2 * i + 1]
    }
    if isinstance(seen, View):
        others = {axis for axis in motions if axis not in seen.axes}
        if others:
            seen = pad_channels(seen, others, shape, taken.target, motions)
        motions = {axis: motion for axis, motion in motions.items() if axis not in others}
    return seen and along(taken, seen, motions, taken.target)


def pad_channels(
    view: View, axes: set[int], shape: Sizes, target: Sizes, motions: Mapping[int, Any]
) -> View:
    """Return a view with channels added that see nothing."""
    labels, kinds = view.labels, [*view.kinds, None]
    for axis in axes:
        start = -int(motions[axis].reach.start)
        full = np.broadcast_to(
            labels, (*labels.shape[:axis], shape[axis], *labels.shape[axis + 1 :])
        )
        widths = [(0, 0)] * labels.ndim
        widths[axis] = max(start, 0), max(target[axis] - shape[axis] - start, 0)
        labels = np.pad(full, widths, constant_values=len(kinds) - 1)
        labels = labels.take(range(max(-start, 0), max(-start, 0) + target[axis]), axis)
    return make_view(view.axes, kinds, labels, view.lengths)


def unfold(taken: Taken) -> Result:
    """Windows along one axis, whose places stand along a new one."""
    seen, rank = taken.of(taken.x), len(taken.x.shape)
    if seen is None or not rank:
        return seen
    axis = taken.argument(1, "dimension") % rank
    window = window_motion(taken.argument(2, "size"), taken.argument(3, "step"))
    target = taken.target[:-1]
    return in_shape(along(taken, seen, {axis: window}, target), target, (*target, 1))


def pixel_shuffle(taken: Taken) -> Result:
    """Channels to pixels."""
    factor = taken.argument(1, "upscale_factor")
    return filter_channels(taken, [copies(factor)] * 2, 1)


def pixel_unshuffle(taken: Taken) -> Result:
    """Pixels to channels."""
    factor = taken.argument(1, "downscale_factor")
    return filter_channels(taken, [blocks(factor)] * 2, 1)
