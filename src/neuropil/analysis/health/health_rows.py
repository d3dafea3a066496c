"""What each layer gave and got in one pass forward and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import Tensor, nn

from neuropil import layers
from neuropil.layers.activations.base import Activation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

# What the output of an activation cannot leave; near the ends it hardly passes a gradient.
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
# How far on the way to an end of its range an output counts as saturated.
SATURATED = 0.97
# Below this, squares and sums of them stay finite in single precision.
ROOT = 1e15


class LayerHealth(NamedTuple):
    """What one layer gave and got; ``None`` where it does not apply.

    Args:
        name: The layer's name in the network.
        kind: Its type.
        parameters: How many of its weights are trained.
        gradient: Root mean square of their gradient; None where the loss does not depend on
            them, or none is trained.
        weight: Root mean square of these weights.
        mean: Mean of the outputs.
        deviation: Their standard deviation.
        units: How many units or channels an activation has, counted at each call.
        dead: How many of these are 0 for every example and position.
        values: How many values each unit was seen to have.
        saturated: The share of an activation's outputs near the ends of its range.
        finite: Whether all outputs and all entries of the gradient are numbers.
    """

    name: str
    kind: str
    parameters: int
    gradient: float | None
    weight: float | None
    mean: float | None
    deviation: float | None
    units: int | None
    dead: int | None
    values: int
    saturated: float | None
    finite: bool

    @property
    def title(self) -> str:
        """The name, with the type where the name is only a number."""
        numbered = self.name.rpartition(".")[2].isdigit()
        return f"{self.name} ({self.kind})" if numbered else self.name

    @property
    def relative(self) -> float | None:
        """Size of the gradient over that of the weights; None where either is not there."""
        return (
            self.gradient / self.weight if self.gradient is not None and self.weight else None
        )

    @property
    def size(self) -> float | None:
        """Root mean square of the outputs."""
        if self.mean is None or self.deviation is None:
            return None
        return math.hypot(self.mean, self.deviation)


class Seen(NamedTuple):
    """What one call of a layer gave: figures still on the device, and counts."""

    figures: Tensor  # mean, deviation, dead units, saturated share
    units: int
    values: int


@final
class Recorder:
    """Watches what the layers of a network give while it runs once; leaves no hook behind.

    Args:
        network: Whose parts are watched: those with parameters of their own, activations, and
            for what is not finite all that have no parts.
    """

    def __init__(self, network: nn.Module) -> None:
        self.modules = {
            name or type(network).__name__: module
            for name, module in network.named_modules()
            if not any(module.children()) or own_parameters(module)
        }
        self.order: dict[str, int] = {}
        self.seen: dict[str, list[Seen]] = {name: [] for name in self.modules}
        self.channels_first = False
        self.handles: list[Any] = []

    def __enter__(self) -> None:
        for name, module in self.modules.items():
            self.handles += [
                module.register_forward_pre_hook(self.entering(name)),
                module.register_forward_hook(self.leaving(name)),
            ]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self.handles:
            handle.remove()

    def entering(self, name: str) -> Any:
        """Return a hook that notes when a layer first runs."""

        def hook(*_: Any) -> None:
            self.order.setdefault(name, len(self.order))

        return hook

    def leaving(self, name: str) -> Any:
        """Return a hook that notes what a layer gives, before others change it in place."""

        def hook(module: nn.Module, _: Any, output: Any) -> None:
            weights = [p.ndim for p in module.parameters(recurse=False) if p.ndim > 1]
            if weights:
                self.channels_first = max(weights) > 2
            value = first_tensor(output)
            if value is not None and value.numel():
                with torch.no_grad():
                    axis = self.axis(value)
                    self.seen[name].append(look_at(module, plain(value.detach()), axis))

        return hook

    def axis(self, value: Tensor) -> int:
        """Return the axis of the units: of three axes the last, unless a convolution's."""
        return value.ndim - 1 if value.ndim == 3 and not self.channels_first else 1

    def names(self) -> list[str]:
        """Return the layers' names as they ran.

        One that is never called, such as a part of an attention, follows what stands before it.
        """
        keys, last = {}, -1
        for place, name in enumerate(self.modules):
            last = self.order.get(name, last)
            keys[name] = (last, place)
        return sorted(self.modules, key=keys.__getitem__)


def look_at(module: nn.Module, value: Tensor, axis: int) -> Seen:
    """Return what is to be known of an output ``(N, …)``, computed where it lies."""
    value = value if value.dtype in (torch.float32, torch.float64) else value.float()
    active = is_activation(module) and value.ndim > 1
    others = [k for k in range(value.ndim) if k != axis] if active else list(range(value.ndim))
    low, high = value.amin(others), value.amax(others)
    units = value.shape[axis] if active else 0
    dead = low.eq(0).logical_and(high.eq(0)).count_nonzero()
    # Squares of large numbers would be infinite.
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
    return Seen(torch.stack([each.to(mean) for each in figures]), units, value.numel())


def rows_of(
    recorder: Recorder, gradients: Mapping[int, Tensor | None]
) -> tuple[LayerHealth, ...]:
    """Return a row for each layer that has weights or is an activation, or is not finite.

    Args:
        recorder: What was seen on the way forward.
        gradients: The gradient of each parameter that is trained, by its identity.
    """
    rows: list[LayerHealth] = []
    counted: set[int] = set()
    for name in recorder.names():
        module = recorder.modules[name]
        own = [p for p in own_parameters(module) if id(p) in gradients and id(p) not in counted]
        counted.update(map(id, own))
        row = row_of(name, module, recorder.seen[name], own, gradients)
        if own_parameters(module) or is_activation(module) or not row.finite:
            rows.append(row)
    return tuple(rows)


def row_of(
    name: str,
    module: nn.Module,
    seen: Sequence[Seen],
    own: Sequence[nn.Parameter],
    gradients: Mapping[int, Tensor | None],
) -> LayerHealth:
    """Return the row of one layer."""
    mean, deviation, dead, saturated = pooled(seen)
    found = [g for p in own if (g := gradients[id(p)]) is not None]
    count = sum(p.numel() for p in own)
    units = sum(call.units for call in seen)
    gradient = length(found) / math.sqrt(count) if found else None
    return LayerHealth(
        name=name,
        kind=type(module).__name__,
        parameters=count,
        gradient=gradient,
        weight=length(own) / math.sqrt(count) if own else None,
        mean=mean,
        deviation=deviation,
        units=units or None,
        dead=round(dead) if units else None,
        values=min((call.values // max(1, call.units) for call in seen), default=0),
        saturated=saturated if type(module) in RANGES and seen else None,
        finite=math.isfinite(mean or 0.0) and math.isfinite(gradient or 0.0),
    )


def pooled(seen: Sequence[Seen]) -> tuple[float | None, float | None, float, float]:
    """Return mean, deviation, number of dead units and saturated share over all calls."""
    if not seen:
        return None, None, 0.0, 0.0
    calls = torch.stack([call.figures for call in seen]).double().tolist()
    means, deviations, dead, saturated = zip(*calls, strict=True)
    if not all(map(math.isfinite, means)):
        return math.nan, math.nan, 0.0, 0.0
    shares = [call.values / sum(call.values for call in seen) for call in seen]

    def average(values: Iterable[float]) -> float:
        return math.fsum(s * v for s, v in zip(shares, values, strict=True))

    mean = average(means)
    apart = (math.hypot(d, m - mean) for m, d in zip(means, deviations, strict=True))
    deviation = math.hypot(*(math.sqrt(s) * d for s, d in zip(shares, apart, strict=True)))
    return mean, deviation, sum(dead), average(saturated)


def length(tensors: Sequence[Tensor]) -> float:
    """Return the Euclidean length of some tensors together, without overflow on the way."""
    norms = []
    for tensor in tensors:
        wide = tensor.dtype if tensor.device.type == "mps" else torch.float64
        norms.append(torch.linalg.vector_norm(plain(tensor.detach()), dtype=wide))
    return math.hypot(*torch.stack(norms).tolist())


def plain(tensor: Tensor) -> Tensor:
    """Return a tensor's numbers as real ones: of a sparse one those that it holds.

    Complex numbers are pairs of real ones, along one more axis.
    """
    if tensor.layout == torch.sparse_coo:
        tensor = tensor.coalesce().values()
    elif tensor.layout != torch.strided:
        tensor = tensor.values()
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a module itself, without those of its parts."""
    return list(module.parameters(recurse=False))


def is_activation(module: nn.Module) -> bool:
    """Tell whether a module is a nonlinear function of each value, with or without weights."""
    own = isinstance(module, Activation) and not isinstance(module, NO_ACTIVATIONS)
    return own or isinstance(module, RECTIFIERS) or type(module) in RANGES


def first_tensor(output: Any) -> Tensor | None:
    """Return the first tensor of floats with a batch axis among what a layer gave."""
    values = output if isinstance(output, tuple | list) else (output,)
    tensors = (v for v in values if isinstance(v, Tensor) and v.ndim)
    return next((v for v in tensors if v.is_floating_point() or v.is_complex()), None)
