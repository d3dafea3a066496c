"""Inception modules: parallel filters of several sizes; plain, residual and dense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from neuropil.checks import choice, flag, number, whole
from neuropil.core import join
from neuropil.core.arguments import constructor
from neuropil.layers.blocks.block_style import HE, Choice, Place
from neuropil.layers.blocks.branches import Branch, BranchedBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.mixing.merge import Concatenate, Elementwise
from neuropil.layers.rearrange import Identity
from neuropil.layers.scale import Scale
from neuropil.layers.spatial import spatial_rank

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.core.layer import Composable


class InceptionModule(BranchedBlock):
    """Parallel branches of convolutions and pooling, with their channels concatenated.

    y = [B₁(x), B₂(x), …]: each branch B is a chain of steps, and each convolution has its
    normalisation and activation. 1×1 convolutions make the larger ones after them cheap.

    A step is one of

    - ``(filters, kernel_size)``, ``(filters, kernel_size, stride)`` or
      ``(filters, kernel_size, stride, padding)``, a convolution;
    - ``"max"`` or ``"avg"``, pooling in windows of 3 at every position, or ``("max", size)``,
      ``("max", size, stride)`` and ``("max", size, stride, padding)``;
    - a tuple of branches, which splits the branch; their channels are concatenated.

    A kernel size may be a pair such as ``(1, 7)``, and padding may be anything that
    `Convolution` takes. Its default is ``"same"`` at stride 1, which keeps height and width,
    and ``"valid"`` at larger strides.

    Shape:
        ``(C, H, W)`` to ``(K, H', W')``: K is the sum of the branches' last filters, and of C
        for a branch of pooling alone. All branches must give the same height and width. Free
        lengths stay free. A convolution of c to k channels has k·c·F² weights.

    Args:
        *branches: Tuples of steps.
        count_include_pad: Whether ``"avg"`` counts padding as zeros; otherwise it ignores
            padding.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``inceptionmodule1``.

    Raises:
        ValueError: When a branch is not a tuple of steps, or an option is out of its range.
        ShapeError: When the input is not an image, or the branches give different lengths.

    Reference:
        Szegedy et al., "Going deeper with convolutions", 2015, figure 2(b); factored filters
        and reductions: "Rethinking the Inception architecture for computer vision", 2016.

    Example:
        >>> module = InceptionModule(
        ...     ((64, 1),), ((96, 1), (128, 3)), ((16, 1), (32, 5)), ("max", (32, 1))
        ... )
        >>> module.output_shape((192, 28, 28))
        (256, 28, 28)
        >>> reduction = InceptionModule(((384, 3, 2),), (("max", 3, 2),))
        >>> reduction.output_shape((288, 35, 35))
        (672, 17, 17)
        >>> split = InceptionModule(((384, 1), (((256, (1, 3)),), ((256, (3, 1)),))))
        >>> split.output_shape((1536, 8, 8))
        (512, 8, 8)
    """

    @override
    def compose(self, shape: Shape) -> Composable:
        spatial_rank(self, shape)
        return self.concatenated_branches()


class InceptionResNetBlock(BranchedBlock):
    """A residual inception module: its scaled linear projection is added to the input.

    y = g(x + f · (W [B₁(x), B₂(x), …] + b)): a 1×1 convolution W without normalisation maps the
    branches' channels to those of x, and f scales them. With ``place="first"`` W follows a
    normalisation and activation like every other convolution, and g is left out.

    Shape:
        ``(C, H, W)`` to the same; free lengths stay free. Besides the branches' parameters,
        with K channels in all, C·K + C.

    Args:
        *branches: As for `InceptionModule`; all steps of stride 1 and "same".
        scale: f.
        activates: Whether to apply g after the sum.
        count_include_pad: As for `InceptionModule`.
        activation: g, also used in the branches: as for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        shortcut: ``"identity"``, or None for no shortcut, a plain network: g(f · (W […] + b)).
        name: Name in the network, in place of ``inceptionresnetblock1``.

    Raises:
        ValueError: When a branch is not a tuple of steps, or an option is out of its range.
        ShapeError: When the input is not an image, or the branches do not keep its lengths.

    Reference:
        Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning", 2017, figures 16 to 20.

    Example:
        >>> block = InceptionResNetBlock(((32, 1),), ((32, 1), (32, 3)), scale=0.17)
        >>> block.output_shape((320, 35, 35))
        (320, 35, 35)
        >>> block.parameter_shapes((320, 35, 35))["convolution4.weight"]
        (320, 64, 1, 1)
    """

    scale: float
    activates: bool
    shortcut: Literal["identity"] | None

    @constructor(scale=number, activates=flag, shortcut=choice("identity", None))
    def __init__(
        self,
        *branches: Branch,
        scale: float = 1.0,
        activates: bool = True,
        count_include_pad: bool = True,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        shortcut: Literal["identity"] | None = "identity",
        name: str | None = None,
    ) -> None: ...

    @override
    def compose(self, shape: Shape) -> Composable:
        spatial_rank(self, shape)
        if shape[0] is None:
            raise self.refuse("a known number of channels", shape, "give it in Input(…)")
        first = self.style.place == "first"
        front = [*self.style.normalize(), *self.style.activate()] if first else []
        back = self.style.activate() if self.activates and not first else []
        scaled = [Scale(self.scale)] if self.scale != 1 else []
        linear = Convolution(shape[0], 1, weight=HE)
        learned = join(self.concatenated_branches(), *front, linear, *scaled)
        if self.shortcut is None:
            return join(learned, *back)
        return join(learned | Identity(), Elementwise("add"), *back)


class InceptionDenseBlock(BranchedBlock):
    """Densely connected inception modules: each takes the input and all earlier outputs.

    x₀ = x, x_l = [x_{l−1}, M_l(x_{l−1})] = [x, M₁(x₀), …, M_l(x_{l−1})]: every M_l is an
    `InceptionModule` of the same branches, with its own weights, and its channels are added to
    the input of all later ones.

    Shape:
        ``(C, H, W)`` to ``(C + n·K, H, W)`` for n steps and modules of K channels; free lengths
        stay free. With P(c) parameters of a module that takes c channels, the block has
        Σ_{l<n} P(C + l·K).

    Args:
        *branches: As for `InceptionModule`; all steps of stride 1 and "same".
        steps: Number of modules n.
        count_include_pad: As for `InceptionModule`.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`; dense networks use ``"first"``.
        name: Name in the network, in place of ``inceptiondenseblock1``.

    Raises:
        ValueError: When a branch is not a tuple of steps, or an option is out of its range.
        ShapeError: When the input is not an image, or the branches do not keep its lengths.

    Reference:
        Dense connections: Huang, Liu, van der Maaten, Weinberger, "Densely connected
        convolutional networks", 2017; of inception modules: Zhang et al., "DENSE-INception
        U-net for medical image segmentation", 2020.

    Example:
        >>> block = InceptionDenseBlock(((8, 1),), ((8, 1), (16, 3)), steps=3)
        >>> block.output_shape((64, 28, 28))  # 64 + 3·(8 + 16)
        (136, 28, 28)
    """

    steps: int

    @constructor(steps=whole)
    def __init__(
        self,
        *branches: Branch,
        steps: int,
        count_include_pad: bool = True,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        name: str | None = None,
    ) -> None: ...

    @override
    def compose(self, shape: Shape) -> Composable:
        spatial_rank(self, shape)
        return join(*((Identity() | self.module()) >> Concatenate() for _ in range(self.steps)))

    def module(self) -> InceptionModule:
        """Return a new module."""
        return InceptionModule(
            *self.branches, count_include_pad=self.count_include_pad, **self.style.options
        )
