"""A recorder of the outputs of a network's layers during one run."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from neuropil import layers
from neuropil.layers.activations.base import Activation

# Range of each bounded activation; near its ends it passes hardly any gradient.
RANGES: dict[type[nn.Module], tuple[float, float]] = {
    nn.Sigmoid: (0.0, 1.0),
    nn.Hardsigmoid: (0.0, 1.0),
    nn.Tanh: (-1.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
    layers.Sigmoid: (0.0, 1.0),
    layers.HardSigmoid: (0.0, 1.0),
    layers.Tanh: (-1.0, 1.0),
}
RECTIFIERS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU),
    *(nn.SiLU, nn.Mish, nn.Softplus, nn.Hardswish, nn.Hardshrink, nn.Softshrink, nn.Threshold),
)
NO_ACTIVATIONS = (layers.Linear, layers.Softmax)
# Part of the way to an end of the range beyond which an output counts as saturated.
SATURATED = 0.97
# Below this size, squares and their sums stay finite in single precision.
ROOT = 1e15


class OutputRecord(NamedTuple):
    """Record of one call of a layer: figures still on the device, and counts."""

    figures: Tensor  # mean, deviation, dead units, saturated share
    units: int
    values: int


@final
class Recorder:
    """Records the outputs of a network's layers while it runs once, then removes its hooks.

    Args:
        network: The network. Activations and modules with parameters are recorded, and, to
            find values that are not finite, all modules without children.
    """

    def __init__(self, network: nn.Module) -> None:
        self.modules = {
            name or type(network).__name__: module
            for name, module in network.named_modules()
            if not any(module.children()) or own_parameters(module)
        }
        self.order: dict[str, int] = {}
        self.seen: dict[str, list[OutputRecord]] = {name: [] for name in self.modules}
        self.channels_first = False
        self.handles: list[Any] = []

    def __enter__(self) -> None:
        for name, module in self.modules.items():
            self.handles += [
                module.register_forward_pre_hook(self.entry_hook(name)),
                module.register_forward_hook(self.output_hook(name)),
            ]

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()

    def entry_hook(self, name: str) -> Any:
        """Return a hook that records when a layer first runs."""

        def hook(*_: Any) -> None:
            self.order.setdefault(name, len(self.order))

        return hook

    def output_hook(self, name: str) -> Any:
        """Return a hook that records a layer's output before it is changed in place."""

        def hook(module: nn.Module, _: Any, output: Any) -> None:
            weights = [p.ndim for p in module.parameters(recurse=False) if p.ndim > 1]
            if weights:
                self.channels_first = max(weights) > 2
            value = first_tensor(output)
            if value is not None and value.numel():
                with torch.no_grad():
                    axis = self.axis(value)
                    self.seen[name].append(
                        measure_output(module, real_values(value.detach()), axis)
                    )

        return hook

    def axis(self, value: Tensor) -> int:
        """Return the axis of the units: of three axes the last, unless a convolution's."""
        return value.ndim - 1 if value.ndim == 3 and not self.channels_first else 1

    def names(self) -> list[str]:
        """Return the names of the layers in the order in which they ran.

        A module that is never called, such as a part of an attention layer, follows the one
        before it in the network.
        """
        keys, last = {}, -1
        for place, name in enumerate(self.modules):
            last = self.order.get(name, last)
            keys[name] = (last, place)
        return sorted(self.modules, key=keys.__getitem__)


def measure_output(module: nn.Module, value: Tensor, axis: int) -> OutputRecord:
    """Return the figures of an output ``(N, …)``, computed on its device."""
    value = value if value.dtype in (torch.float32, torch.float64) else value.float()
    active = is_activation(module) and value.ndim > 1
    others = [k for k in range(value.ndim) if k != axis] if active else list(range(value.ndim))
    low, high = value.amin(others), value.amax(others)
    units = value.shape[axis] if active else 0
    dead = low.eq(0).logical_and(high.eq(0)).count_nonzero()
    # Scaling first keeps the squares of large numbers finite.
    scale = torch.maximum(high, -low).amax().clamp(min=1.0)
    scaled = value if value.device.type == "cpu" and scale < ROOT else value / scale
    mean = scaled.mean()
    deviation = torch.linalg.vector_norm(scaled - mean) / math.sqrt(value.numel())
    if scaled is value:
        scale = torch.ones_like(scale)
    saturated = torch.zeros_like(mean)
    if limits := RANGES.get(type(module)):
        middle, half = sum(limits) / 2, (limits[1] - limits[0]) / 2
        saturated = (value - middle).abs().gt(SATURATED * half).count_nonzero() / value.numel()
    figures = (mean * scale, deviation * scale, dead, saturated)
    return OutputRecord(torch.stack([each.to(mean) for each in figures]), units, value.numel())


def real_values(tensor: Tensor) -> Tensor:
    """Return a tensor's values as real numbers; for a sparse tensor, the stored values.

    Complex numbers become pairs of real ones, along an additional axis.
    """
    if tensor.layout == torch.sparse_coo:
        tensor = tensor.coalesce().values()
    elif tensor.layout != torch.strided:
        tensor = tensor.values()
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a module itself, without those of its children."""
    return list(module.parameters(recurse=False))


def is_activation(module: nn.Module) -> bool:
    """Tell whether a module is a nonlinear elementwise function, with or without weights."""
    own = isinstance(module, Activation) and not isinstance(module, NO_ACTIVATIONS)
    return own or isinstance(module, RECTIFIERS) or type(module) in RANGES


def first_tensor(output: Any) -> Tensor | None:
    """Return the first tensor of floats with a batch axis in a layer's output."""
    values = output if isinstance(output, tuple | list) else (output,)
    tensors = (v for v in values if isinstance(v, Tensor) and v.ndim)
    return next((v for v in tensors if v.is_floating_point() or v.is_complex()), None)
