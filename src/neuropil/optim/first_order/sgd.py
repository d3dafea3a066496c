"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.first_order.fused_step import Columns, DirectStep
from neuropil.optim.first_order.torch_internals import fused_sgd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch.optim.optimizer import ParamsT


class Descent(DirectStep, torch.optim.SGD):
    """Torch's SGD, with its fused kernel."""

    @override
    def state_names(self, group: dict[str, Any]) -> Sequence[str]:
        return ("momentum_buffer",) if group["momentum"] else ()

    @override
    def launch(self, group: dict[str, Any], columns: Columns) -> None:
        params, grads, *buffers = columns
        fused_sgd(
            params,
            grads,
            buffers[0] if buffers else [],
            lr=group["lr"],
            momentum=group["momentum"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
            is_first_step=False,
        )


@final
class GradientDescent(Descent):
    """Steps along the negative gradient: ``w ← w − lr (g + λ w)``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        weight_decay: λ; pulls the weights towards 0.
        **options: Passed on to `torch.optim.SGD`: ``maximize``, ``foreach``,
            ``differentiable``, ``fused``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Robbins, Monro, "A Stochastic Approximation Method", 1951.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([3.0]))
        >>> optimizer = GradientDescent([w], lr=0.25)
        >>> (w**2).sum().backward()  # the gradient is 6
        >>> optimizer.step()
        >>> w.item()
        1.5
    """

    @constructor()
    def __init__(
        self, params: ParamsT, lr: float = 0.01, *, weight_decay: float = 0.0, **options: Any
    ) -> None: ...


@final
class Momentum(Descent):
    """Gradient descent with a velocity: ``v ← μ v + g``, then ``w ← w − lr v``.

    With ``nesterov`` the step is ``w ← w − lr (g + μ v)``: the gradient is taken as if the
    velocity had already been followed.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        momentum: μ, how much of the velocity stays.
        nesterov: Look ahead along the velocity.
        dampening: τ in ``v ← μ v + (1 − τ) g``; the first step is not damped, as in torch.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``.
        **options: Passed on to `torch.optim.SGD`: ``maximize``, ``foreach``,
            ``differentiable``, ``fused``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in
        deep learning", 2013; with torch's order of ``lr`` and velocity.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([0.0]))
        >>> optimizer = Momentum([w], lr=1.0, momentum=0.5)
        >>> for _ in range(3):  # a constant gradient of −1: velocities −1, −1.5, −1.75
        ...     w.grad = torch.tensor([-1.0])
        ...     optimizer.step()
        >>> w.item()
        4.25
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        momentum: float = 0.9,
        *,
        nesterov: bool = False,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        **options: Any,
    ) -> None: ...

    @override
    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        momentum, dampening = options["momentum"], options["dampening"]
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError(
                f"Momentum: `nesterov` needs momentum above 0 and no dampening, got "
                f"momentum={momentum!r} and dampening={dampening!r}."
            )
