"""The effective receptive field: how much each input position matters, by gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from neuropil.analysis.calls import Call, built_network, calls_of
from neuropil.analysis.cost.activation_memory import float_dtype
from neuropil.analysis.cost.costs import sample_shape
from neuropil.analysis.receptive_field.receptive_fields import output_place
from neuropil.analysis.traced.receptive.module_fields import (
    ModuleProbe,
    device_of,
    middle_gradient,
)
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.checks import whole
from neuropil.core import format_shape
from neuropil.core.prediction import in_test_mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core import Layer, Network

# The part of a Gaussian within two standard deviations: Luo et al. count a pixel if its
# gradient is at least 1 − 0.9545 of the largest.
LEAST = 1 - 0.9545


@dataclass(frozen=True, slots=True, eq=False)
class EffectiveReceptiveField:
    """How much each input position matters to the middle output.

    Args:
        map: Mean magnitude of the gradient at each input position, at most 1: ``(H, W)`` for an
            image, ``(L)`` for a signal.
        size: Number of inputs that matter along an axis: the square root of the number of
            pixels whose gradient is at least 4.55 % of the largest; that number itself for a
            signal, its cube root for a volume.
    """

    map: Tensor
    size: float


def effective_receptive_field(
    network: Network | nn.Module,
    name: str | None = None,
    *,
    samples: int = 16,
    input_shape: Example | None = None,
    input_name: str | None = None,
    seed: int = 0,
) -> EffectiveReceptiveField:
    """Measure how much each position of the input matters to the middle output of a layer.

    For random inputs x and random signs s, one for each channel c of the output y,

        map(p) ∝ E_x,s Σ_k |∂(Σ_c s_c · y_c(middle)) / ∂x_k(p)|

    over the channels k of the input. The random signs keep paths from cancelling, so that all
    of them show. In deep networks the map is a Gaussian far smaller than the theoretical field
    that `receptive_field` returns, and it grows during training.

    The network runs in evaluation mode in its own precision; its weights, gradients and modes
    are not changed.

    Args:
        network: A network that starts with an `Input`, or any PyTorch module.
        name: The layer to analyse, or a module's part such as ``"layer4.0"``; by default the
            network's only output.
        samples: Number of random inputs to average over.
        input_shape: Lengths for the free axes of the input, such as ``(3, 224, 224)``. For a
            module, its input: a shape without the batch, or tensors. The input whose gradient
            is measured is replaced by random data.
        input_name: The input to analyse, where there are several.
        seed: Seed of the random inputs and signs.

    Raises:
        ShapeError: When the network is not built, or a free length is not given.
        ValueError: When the input holds integers, weights are on the meta device, no gradient
            reaches the input, or no layer has that name.

    Reference:
        Luo, Li, Urtasun and Zemel, "Understanding the effective receptive field in deep
        convolutional neural networks", 2016.

    Example:
        >>> import torch
        >>> from neuropil.layers import Convolution, Input
        >>> network = Input(1, 9, 9) >> Convolution(1, 3)
        >>> with torch.no_grad():
        ...     _ = network.layers["convolution1"].weight.fill_(0.5)
        >>> field = effective_receptive_field(network)
        >>> field.map.shape, int(field.map.sum()), field.size
        (torch.Size([9, 9]), 9, 3.0)
    """
    whole(samples, "effective_receptive_field: samples")
    probe = probe_of(network, name, input_shape, input_name)
    generator = torch.Generator().manual_seed(seed)
    with in_test_mode(probe.network), torch.inference_mode(mode=False), torch.enable_grad():
        total = sum(probe.gradient_sizes(generator) for _ in range(samples))
    largest = cast("Tensor", total).max()
    if not largest > 0:
        raise ValueError(
            f"no gradient reaches {probe.name!r}: the layer does not depend on it, or all "
            f"activations on the way are flat."
        )
    relative = total / largest
    matters = int((relative >= LEAST).sum())
    return EffectiveReceptiveField(relative, matters ** (1 / relative.ndim))


def probe_of(
    network: Network | nn.Module,
    name: str | None,
    input_shape: Example | None,
    input_name: str | None,
) -> Probe | ModuleProbe:
    """Return a probe that measures gradients of a network or of any module."""
    if is_foreign(network):
        return ModuleProbe(network, name, input_shape, input_name)
    network = built_network(network)
    part = network.upto(network.node_names[output_place(network, name)])
    return Probe(part, calls_of(part, input_shape), input_name)


class Probe:
    """Measures gradients of a network with respect to one of its inputs, on random data.

    Args:
        network: The network; it ends with the layer to analyse.
        calls: Its calls, with the shapes to use.
        name: Name of the input; ``None`` for the only one.

    Raises:
        ShapeError: When a length is free.
        ValueError: When the input holds integers or has no positions.
    """

    def __init__(self, network: Network, calls: Sequence[Call], name: str | None) -> None:
        self.network = network
        self.sources = [call for call in calls if not call.inputs]
        self.name = watched_input(self.sources, name)
        self.shapes = [sample_shape(source, calls) for source in self.sources]
        self.dtype, self.device = float_dtype(calls), device_of(network)

    def gradient_sizes(self, generator: torch.Generator) -> Tensor:
        """Return the magnitude of the gradient at each position, for one random input."""
        inputs, standard = [], torch.empty(0)
        for source, shape in zip(self.sources, self.shapes, strict=True):
            if source.kind == "int":
                inputs.append(torch.zeros(shape, dtype=torch.int64, device=self.device))
                continue
            drawn = torch.randn(shape, generator=generator, dtype=self.dtype).to(self.device)
            if source.name == self.name:
                standard = drawn.requires_grad_()
            inputs.append(unnormalize(source.layer, drawn))
        return middle_gradient(self.network(*inputs), standard, generator)


def watched_input(sources: Sequence[Call], name: str | None) -> str:
    """Return the name of the input whose gradient is measured.

    Raises:
        ValueError: When the input does not exist, has no positions or holds integers.
    """
    names = [source.name for source in sources if source.kind != "int"]
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        raise ValueError(
            f"choose input_name from the floating-point inputs {names}, got {name!r}."
        )
    shape = next(source.shape or () for source in sources if source.name == name)
    if len(shape) < 2:
        raise ValueError(
            f"{name!r} takes vectors {format_shape(shape)}, which have no positions."
        )
    return name


def unnormalize(layer: Layer, standard: Tensor) -> Tensor:
    """Return the data that an input layer normalises to given standardised data."""
    mean, scale = (getattr(layer, name, None) for name in ("mean", "scale"))
    return standard if mean is None or scale is None else standard * scale + mean
