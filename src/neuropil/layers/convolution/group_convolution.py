"""Convolution over rotations and reflections as well as positions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.checks import one_of, whole
from neuropil.core.window import Reach
from neuropil.layers.constant_tensors import WithConstants
from neuropil.layers.convolution.convolution import Convolution, Filters
from neuropil.layers.convolution.planar_group import ORDERS, transform_indices
from neuropil.layers.layer_options import HE, Bias, Weight

if TYPE_CHECKING:
    from neuropil.core import Shape


class GroupConvolution(WithConstants, Filters):
    """Slide K filters over an image in all four rotations, and for p4m also mirrored.

    With G the rotations by 90° and, for p4m, the reflections, the first layer lifts an image,

        y[k, g, o] = b[k] + Σ_c Σ_t w[k, c, g⁻¹t] · x[c, S·o + D·t − P],

    and the layers after it, whose input has a group axis, convolve over that too:

        y[k, g, o] = b[k] + Σ_c Σ_h Σ_t w[k, c, g⁻¹h, g⁻¹t] · x[c, h, S·o + D·t − P].

    If the image is turned or mirrored by u, y becomes y[k, u⁻¹g, u⁻¹o]: each map is transformed
    like the image, and the group axis is permuted. So nothing has to be learned again for
    rotated examples.

    This holds exactly, up to rounding, for any stack of layers that treat all positions and
    elements alike. Values keep the shape ``(K, |G|, H, W)``, that of a volume, so that
    activations, BatchNorm (with one mean for all orientations of a filter, as required here),
    and ``MaxPooling((1, 2, 2))`` work as they are; `GroupPooling` removes the group axis. Where
    a stride S or pooling leaves a remainder, (H + 2P − F') mod S ≠ 0, the windows are no longer
    placed alike from all sides, and it holds only nearly.

    Shape:
        ``(C, H, W)`` or ``(C, |G|, H, W)`` to ``(K, |G|, H', W')``, |G| = 4 for p4 and 8 for
        p4m, H' and W' as in `Convolution`; free lengths stay free. Element r + 4m of the group
        axis mirrors left and right if m = 1, then rotates by r · 90° anticlockwise. ``weight``
        has shape ``(K, C, F, F)`` or ``(K, C, |G|, F, F)``, ``bias`` ``(K)``.

    Args:
        filters: Number of filters K.
        kernel_size: Height and width F of a filter.
        group: ``"p4"`` for rotations, ``"p4m"`` for rotations and reflections.
        stride: Step S between neighbouring windows.
        padding: ``"valid"``; ``"same"`` for odd F' and stride 1; ``"full"``; or a number, the
            same on all sides.
        dilation: Distance D between neighbouring taps of a filter.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser. Without b the layer has no such parameter.
        weight: Initial filters: an initialiser, a number or an array; by default
            ``HeNormal()``, as for `Convolution`.
        name: Name in the network, in place of ``groupconvolution1``.

    Raises:
        ValueError: When an option is out of its range, or the padding differs between the
            sides.
        ShapeError: When the input is neither an image nor has a group axis of |G|, is too
            small, or has a free number of channels.

    Reference:
        Cohen and Welling, "Group equivariant convolutional networks", 2016, eqs. 10, 11 and
        section 7.

    Example:
        >>> from neuropil.layers import Input
        >>> network = Input(1, 5, 5) >> GroupConvolution(2, 3) >> GroupConvolution(2, 3)
        >>> network.output_shape
        (2, 4, 1, 1)
        >>> image = torch.arange(25.0).view(1, 1, 5, 5)
        >>> features, turned = network(image), network(image.rot90(1, (2, 3)))
        >>> torch.allclose(turned, features.roll(1, 2).rot90(1, (3, 4)), atol=1e-5)
        True
    """

    places: Tensor
    folded_weight: Tensor | None
    folded_bias: Tensor | None

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        group: str = "p4",
        stride: int = 1,
        padding: str | int = "valid",
        dilation: int = 1,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        numbers = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
        for option, value in numbers.items():
            whole(value, f"GroupConvolution: {option}")
        window = (kernel_size, stride, dilation, padding)
        super().__init__(filters, 1, bias, weight, window, name)
        one_of(group, "GroupConvolution: group", ORDERS)
        pads = self.windows(2)[0].fixed_pads
        if pads is None or pads[0] != pads[1] or isinstance(padding, tuple | list):
            raise ValueError(
                f"GroupConvolution: padding must be the same on all sides, but {padding!r} "
                f"is not for kernel_size={kernel_size}, stride={stride}, "
                f"dilation={dilation}: give it as one number."
            )
        self.group, self.order = group, ORDERS[group]
        for state in ("folded_weight", "folded_bias"):
            self.register_buffer(state, None, persistent=False)
        self.how = ((stride, stride), (pads[0], pads[0]), (dilation, dilation))

    def plane(self, shape: Shape) -> Shape:
        """Return the shape without the group axis, if it has one.

        Raises:
            ShapeError: When it is neither the shape of an image nor of one lifted by this
                group.
        """
        if len(shape) == 3:
            return shape
        if len(shape) == 4 and shape[1] == self.order:
            return (shape[0], *shape[2:])
        raise self.refuse(
            f"an image (C, H, W), or one lifted by {self.group}, (C, {self.order}, H, W)",
            shape,
            "put it after an Input of images, or after layers of the same group",
        )

    @override
    def slide(self, shape: Shape) -> Shape:
        return super().slide(self.plane(shape))

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = self.slide(shape)
        self.channels(shape)
        return (self.filters, self.order, *lengths)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        windows, channels = self.windows_over(self.plane(shape)), self.channels(shape)
        shapes = self.filter_shapes(self.filters, channels, windows)
        if len(shape) == 4:
            shapes["weight"] = (self.filters, channels, self.order, *shapes["weight"][2:])
        return shapes

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return self.order * self.filter_cost(shape, self.slide(shape))

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        plane = super().reaches(self.plane(shape))
        if len(shape) == 3 or plane is None:
            return None  # the group axis is new
        return (Reach(self.order, Fraction(0), Fraction(0)), *plane)

    @override
    def fans(self) -> tuple[int, int] | None:
        filters, *seen = self.weight.shape
        return math.prod(seen), filters * self.order * math.prod(seen[-2:])

    @override
    def constants(self, *input_shapes: Shape) -> dict[str, Tensor]:
        size = self.windows(2)[0].size
        places = transform_indices(self.order, size, lifts=len(input_shapes[0]) == 3)
        # One index for the filters of all channels, so that expanding them is one call.
        rows = torch.from_numpy(places)[:, None]
        firsts = torch.arange(self.channels(input_shapes[0]), device="cpu") * places.shape[1]
        return {"places": (rows + firsts[:, None]).flatten()}

    def expand(self) -> tuple[Tensor, Tensor | None]:
        """Return the filters in all orientations, and their biases, as for one convolution."""
        weight, bias, order = self.weight, self.bias, self.order
        size = weight.shape[-1]
        turned = weight.flatten(1).index_select(1, self.places)
        if bias is not None:
            bias = bias[:, None].expand(-1, order).flatten()
        return turned.view(self.filters * order, -1, size, size), bias

    @override
    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.folded_weight, self.folded_bias
        if weight is None:
            weight, bias = self.expand()
        if x.dim() == 5:
            x = x.flatten(1, 2)
        y = torch.conv2d(x, weight, bias, *self.how)
        return torch.unflatten(y, 1, (self.filters, self.order))

    def fold(self) -> None:
        """Expand the filters once, so that each call is one plain convolution.

        This lasts until `train()` is called or weights are loaded or reset; after any other
        change of the weights, call it again.

        Raises:
            ValueError: When the layer is in training, or not built yet.
        """
        if self.training or self.built_for is None:
            raise ValueError(
                f"{self!r} can only be folded when it is built and in test mode: join it to an "
                f"Input and call .eval() first."
            )
        with torch.no_grad():
            weight, bias = self.expand()
        self._buffers.update(folded_weight=weight, folded_bias=bias)

    def unfold(self) -> None:
        """Expand the filters at each call again, as before `fold`."""
        self._buffers.update(folded_weight=None, folded_bias=None)

    def to_convolution(self) -> Convolution:
        """Return an equivalent plain convolution with a copy of the weights.

        Its input channel c·|G| + h is entry h of the group axis of channel c, and likewise for
        its output channel k·|G| + g; an image has no group axis.
        """
        with torch.no_grad():
            weight, bias = self.expand()
        stride, padding, dilation = self.how
        plain = Convolution(
            len(weight),
            weight.shape[-1],
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias is not None,
            weight=self.initializers["weight"],
        )
        with torch.device("meta"):
            plain.build((weight.shape[1], None, None))
        plain.weight = nn.Parameter(weight)
        plain.bias = None if bias is None else nn.Parameter(bias)
        return plain.train(self.training)

    @override
    def train(self, mode: bool = True) -> Self:
        if mode:
            self.unfold()
        return super().train(mode)

    @override
    def refresh(self) -> None:
        self.unfold()
        super().refresh()
