"""Optimisers that scale each weight's step by the size of its past gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.first_order.base import FirstOrder
from neuropil.optim.first_order.fused_step import Columns, DirectStep
from neuropil.optim.first_order.torch_internals import count_up, fused_adagrad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.optim.optimizer import ParamsT


@final
class Adagrad(DirectStep, torch.optim.Adagrad):
    """Divide each weight's step by the root of all its squared gradients so far.

    ``s ← s + g²``, then ``w ← w − lrₜ g / (√s + ε)`` with
    ``lrₜ = lr / (1 + (t − 1) lr_decay)``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        lr_decay: How fast the learning rate itself falls.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``.
        initial_accumulator_value: The first value of ``s``.
        eps: ε, keeps the quotient finite.
        **options: Passed on to `torch.optim.Adagrad`: ``maximize``, ``foreach``,
            ``differentiable``, ``fused``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization", 2011.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([0.0]))
        >>> optimizer = Adagrad([w], lr=1.0)
        >>> for gradient in (-3.0, -4.0):  # steps 3/√9 and 4/√25
        ...     w.grad = torch.tensor([gradient])
        ...     optimizer.step()
        >>> round(w.item(), 6)
        1.8
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        **options: Any,
    ) -> None: ...

    @override
    def state_names(self, group: dict[str, Any]) -> Sequence[str]:
        return "sum", "step"

    @override
    def supports(self, columns: Columns) -> bool:
        # Torch 2.6 has this kernel for the CPU only.
        return not columns[0][0].is_cuda

    @override
    def launch(self, group: dict[str, Any], columns: Columns) -> None:
        params, grads, sums, steps = columns
        count_up(steps)
        fused_adagrad(
            params,
            grads,
            sums,
            steps,
            lr=group["lr"],
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )


@final
class RMSProp(FirstOrder, torch.optim.RMSprop):
    """Divide the gradient by a running root mean square of itself.

    ``v ← α v + (1 − α) g²``, then ``w ← w − lr g / (√v + ε)``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        alpha: α, how much of the mean square stays.
        eps: ε, keeps the quotient finite.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``.
        momentum: μ; above 0 the quotient feeds a velocity, as in `Momentum`.
        centered: Use ``v − ḡ²`` in place of v: the gradient's running variance, where ``ḡ`` is
            its running mean.
        **options: Passed on to `torch.optim.RMSprop`: ``maximize``, ``foreach``,
            ``capturable``, ``differentiable``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Tieleman, Hinton, "Lecture 6.5, rmsprop", Neural Networks for Machine Learning, 2012.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = RMSProp([w], lr=0.25, alpha=0.75)
        >>> w.grad = torch.tensor([4.0])  # v = 0.25·16, so the step is 0.25·4/2
        >>> optimizer.step()
        >>> w.item()
        0.5
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,  # noqa: FBT001, FBT002 - torch's order
        **options: Any,
    ) -> None: ...


@final
class Adadelta(FirstOrder, torch.optim.Adadelta):
    """Steps in the weight's own units: the gradient times a ratio of two running sizes.

    ``v ← ρ v + (1 − ρ) g²``, ``d = √(u + ε) / √(v + ε) · g``, ``u ← ρ u + (1 − ρ) d²``, then
    ``w ← w − lr d``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Scales the step; 1 in the paper.
        rho: ρ, how much of both mean squares stays.
        eps: ε, starts the first step and keeps the quotient finite.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``.
        **options: Passed on to `torch.optim.Adadelta`: ``maximize``, ``foreach``,
            ``capturable``, ``differentiable``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, algorithm 1.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = Adadelta([w], rho=0.75, eps=1.0)
        >>> w.grad = torch.tensor([2.0])  # v = 0.25·4, so d = √1 / √2 · 2
        >>> optimizer.step()
        >>> round(w.item(), 4)
        -0.4142
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        **options: Any,
    ) -> None: ...
