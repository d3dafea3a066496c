"""Mixtures of experts as whole networks."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.core import Network, Shape, join
from neuropil.layers import (
    GlobalPooling,
    Input,
    Linear,
    MaxPooling,
    MixtureOfExperts,
    Softmax,
)
from neuropil.layers.blocks.block_style import HE, Style

if TYPE_CHECKING:
    from neuropil.core.layer import Composable

# Units of an expert for vectors; filters of the stages of one for images, and of the gate.
HIDDEN = 64
STAGES = (32, 64, 128)
GATE_STAGES = (16, 32)


@dataclass(frozen=True)
class MixtureOptions(PlainOptions):
    """Options of `mixture_of_experts`, besides those of every architecture.

    Attributes:
        input_shape: ``(D)`` or ``(C, H, W)``; an image's lengths may be None.
        experts: Number of experts; or a network without an `Input` that gives `classes` scores,
            of which each expert is a copy; or a tuple of different networks.
        count: Number of copies, if `experts` is one network.
        top_k: Number of experts that run for each sample; None for all.
        gate: A network without an `Input` that computes the features for the gate.
        noisy: Whether noise is added to the gate's choice in training.
        activation: As for `ResidualBlock`, in the default experts.
        normalization: As for `ResidualBlock`, in the default experts. With `top_k`, BatchNorm
            gets only the samples that an expert receives.
    """

    classes: int = 10
    _: KW_ONLY
    input_shape: Shape = (3, 32, 32)
    experts: int | Composable | tuple[Composable, ...] = 4
    count: int | None = None
    top_k: int | None = None
    gate: Composable | None = None
    noisy: bool = False


@architecture(
    MixtureOptions,
    year=1991,
    paper="Jacobs, Jordan, Nowlan, Hinton, Adaptive mixtures of local experts",
    accuracy="90 % four vowels",
    source="paper",
)
def mixture_of_experts(options: MixtureOptions) -> Network:
    """Several expert networks, and a gate that weights their outputs for each sample.

    The class scores are Σᵢ gᵢ(x)·fᵢ(x), by `MixtureOfExperts`, followed by Softmax. By default,
    an expert for vectors has two layers of 64 units. An expert for images has three stages of a
    3×3 convolution and MaxPooling with 32, 64 and 128 filters, and the gate has two such stages
    of 16 and 32. The mixture is named ``stage1``. Add `neuropil.optim.balance` to the training,
    as its regulariser, to keep all experts in use; with `top_k` it is needed.

    Raises:
        ShapeError: When an image is too small, or an expert does not give one score per class.
        ValueError: When an option is out of its range, or the weights do not fit.

    Reference:
        Jacobs, Jordan, Nowlan, Hinton, "Adaptive mixtures of local experts", 1991; top-k:
        Shazeer et al., "Outrageously large neural networks", 2017.

    Example:
        >>> mixture_of_experts(3, input_shape=(4,), experts=8, top_k=2).output_shape
        (3,)
        >>> expert = Linear(5) >> Linear(3)
        >>> mixture_of_experts(3, input_shape=(4,), experts=expert, count=2).output_shape
        (3,)
    """
    style = options.style
    experts, count, gate = options.experts, options.count, options.gate
    images = len(options.input_shape) > 1
    if isinstance(experts, int):
        experts, count = default_expert(style, options.classes, images=images), experts
    if gate is None and images:
        gate = join(*stages(style, GATE_STAGES), GlobalPooling("avg"))
    mixture = MixtureOfExperts(
        experts, count, top_k=options.top_k, gate=gate, noisy=options.noisy, name="stage1"
    )
    return join(Input(*options.input_shape), mixture, Softmax())


def default_expert(style: Style, classes: int, *, images: bool) -> Network:
    """Return the network that each expert is a copy of."""
    if images:
        return join(*stages(style, STAGES), GlobalPooling("avg"), Linear(classes))
    hidden = [(Linear(HIDDEN, weight=HE), *style.normalize(), *style.activate()) for _ in "12"]
    return join(*(layer for unit in hidden for layer in unit), Linear(classes))


def stages(style: Style, widths: tuple[int, ...]) -> list[Composable]:
    """Return convolutions, each followed by MaxPooling."""
    return [layer for width in widths for layer in (style.unit(width, 3), MaxPooling(2))]
