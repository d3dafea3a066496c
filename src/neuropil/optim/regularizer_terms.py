"""The terms of a regulariser: penalties added to the loss, and projections of the weights."""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.checks import flag, number
from neuropil.optim.first_order.torch_internals import add_all, signs_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Weight(NamedTuple):
    """A parameter and the module that owns it."""

    tensor: nn.Parameter
    owner: nn.Module


@dataclass(frozen=True, repr=False)
class Term(ABC):
    """One penalty or limit.

    Args:
        amount: The rate of a penalty, the radius of a limit.
        only: Names of the modules that it applies to; None means all.
        biases: Whether it applies to vectors too.

    Raises:
        ValueError: If an argument is invalid.
    """

    # The public name of `amount`, and its interval.
    argument: ClassVar[str] = "rate"
    bounds: ClassVar[str] = "[0, inf)"
    # Whether it projects the weights after each step, in place of adding to the loss.
    projects: ClassVar[bool] = False
    # Whether the penalty is a sum of squares, so that `root` is defined.
    squares: ClassVar[bool] = False

    amount: float
    only: str | Sequence[str] | None = None
    biases: bool = False

    def __post_init__(self) -> None:
        name = type(self).__name__.lower()
        number(self.amount, f"{name}: `{self.argument}`", self.bounds)
        flag(self.biases, f"{name}: `biases`")
        if self.only is None:
            return
        names = (self.only,) if isinstance(self.only, str) else tuple(self.only)
        if not names:
            raise ValueError(f"{name}: `only` names no module; leave it out to take all.")
        object.__setattr__(self, "only", names)

    @property
    def penalizes(self) -> bool:
        """Whether it adds something to the loss."""
        return self.amount > 0 and not self.projects

    def value(self, weights: list[Weight]) -> Tensor:
        """Return the term that is added to the loss."""
        raise NotImplementedError

    def root(self, weights: list[Weight]) -> Tensor:
        """Return a vector u whose squared norm ``‖u‖²`` is `value`."""
        raise NotImplementedError

    def add_gradients(self, weights: list[Weight]) -> None:
        """Add the gradient of `value` to each weight's ``grad``."""
        raise NotImplementedError

    def project(self, weights: list[Weight]) -> None:
        """Project the weights onto the allowed set, in place."""
        raise NotImplementedError

    def takes(self, path: str, module: nn.Module, parameter: nn.Parameter) -> bool:
        """Tell whether the term applies to this parameter of the module at ``path``."""
        normalizes = isinstance(module, nn.LayerNorm | nn.GroupNorm)
        return self.names(path) and (self.biases or not (parameter.dim() <= 1 or normalizes))

    def names(self, path: str) -> bool:
        """Tell whether the module at ``path`` is one of those in `only`, or inside one."""
        return self.only is None or any(f"{path}.".startswith(f"{name}.") for name in self.only)

    @override
    def __repr__(self) -> str:
        only = f", only={self.only!r}" if self.only is not None else ""
        biases = ", biases=True" if self.biases else ""
        return f"{type(self).__name__.lower()}({self.amount!r}{only}{biases})"


@final
class L1(Term):
    """``rate · Σ |w|``."""

    @override
    def value(self, weights: list[Weight]) -> Tensor:
        return self.amount * total([full(weight.tensor).abs().sum() for weight in weights])

    @override
    def add_gradients(self, weights: list[Weight]) -> None:
        signs = signs_of([weight.tensor for weight in weights])
        # sign(w) is the subgradient of |w| that is 0 at 0.
        add_all(gradients(weights), signs, alpha=self.amount)


@final
class L2(Term):
    """``rate · Σ w²``."""

    squares = True

    @override
    def root(self, weights: list[Weight]) -> Tensor:
        # ‖√rate · w‖² = rate · Σ w².
        whole = torch.cat([full(weight.tensor).flatten() for weight in weights])
        return math.sqrt(self.amount) * whole

    @override
    def value(self, weights: list[Weight]) -> Tensor:
        return self.amount * total([full(weight.tensor).square().sum() for weight in weights])

    @override
    def add_gradients(self, weights: list[Weight]) -> None:
        tensors: list[Tensor] = [weight.tensor for weight in weights]
        # The gradient of rate · w² is 2 · rate · w.
        add_all(gradients(weights), tensors, alpha=2 * self.amount)


@final
class MaxNorm(Term):
    """``‖w‖₂ ≤ limit`` for all weights w into one unit or filter."""

    argument = "limit"
    # A limit of 0 would leave no weight.
    bounds = "(0, inf)"
    projects = True

    @override
    def project(self, weights: list[Weight]) -> None:
        for tensor, owner in weights:
            if tensor.dim() <= 1:
                tensor.clamp_(-self.amount, self.amount)
            elif getattr(owner, "transposed", False):
                self.project_transposed(tensor, int(getattr(owner, "groups", 1)))
            else:
                tensor.renorm_(2, 0, self.amount)

    def project_transposed(self, tensor: Tensor, groups: int) -> None:
        """Project a transposed convolution: ``(in, out / groups, *kernel)``."""
        # One filter belongs to one group and one output channel; its weights run over that
        # group's input channels (axis 1) and the kernel (axis 3).
        rows = tensor.reshape(groups, -1, tensor.shape[1], tensor[0, 0].numel())
        norms = torch.linalg.vector_norm(rows, dim=(1, 3), keepdim=True)
        tensor.copy_((rows * (self.amount / norms).clamp(max=1)).reshape(tensor.shape))


def total(values: list[Tensor]) -> Tensor:
    """Return the sum of scalars, on the device of the first."""
    return torch.stack([value.to(values[0].device) for value in values]).sum()


def full(tensor: Tensor) -> Tensor:
    """Return half-precision values in single precision, in which their squares fit."""
    return tensor if tensor.dtype.itemsize >= 4 else tensor.float()


def gradients(weights: list[Weight]) -> list[Tensor]:
    """Return the gradients, after filling missing ones with zeros."""
    for tensor, _ in weights:
        if tensor.grad is None:
            tensor.grad = torch.zeros_like(tensor)
    return [tensor.grad for tensor, _ in weights if tensor.grad is not None]
