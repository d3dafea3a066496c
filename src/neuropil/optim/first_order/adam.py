"""Adam, AdamW and Adamax: steps scaled by running moments of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.first_order.base import FirstOrder
from neuropil.optim.first_order.fused_step import Columns, DirectStep
from neuropil.optim.first_order.torch_internals import count_up, fused_adam, fused_adamw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.optim.optimizer import ParamsT

Betas: TypeAlias = tuple[float, float]


class Moments(DirectStep):
    """The fused kernels of Adam and AdamW."""

    @override
    def state_names(self, group: dict[str, Any]) -> Sequence[str]:
        names = ("exp_avg", "exp_avg_sq", "step")
        return (*names, "max_exp_avg_sq") if group["amsgrad"] else names

    @override
    def launch(self, group: dict[str, Any], columns: Columns) -> None:
        params, grads, averages, squares, steps, *largest = columns
        # Later versions of torch distinguish Adam and AdamW by an option of the group, earlier
        # ones by class.
        decoupled = group.get("decoupled_weight_decay", isinstance(self, torch.optim.AdamW))
        kernel = fused_adamw if decoupled else fused_adam
        count_up(steps)
        kernel(
            params,
            grads,
            averages,
            squares,
            largest[0] if largest else [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=group["amsgrad"],
            maximize=group["maximize"],
        )


@final
class Adam(Moments, torch.optim.Adam):
    """Steps of about ``lr`` in every weight: the mean gradient over its root mean square.

    ``m ← β₁ m + (1 − β₁) g``, ``v ← β₂ v + (1 − β₂) g²``; at step t
    ``w ← w − lr m̂ / (√v̂ + ε)`` with ``m̂ = m / (1 − β₁ᵗ)`` and ``v̂ = v / (1 − β₂ᵗ)``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        betas: ``(β₁, β₂)``, how much of each moment stays.
        eps: ε, keeps the quotient finite.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``. `AdamW` keeps the two apart.
        amsgrad: Take the largest v so far in place of v: ``v̂ = max v / (1 − β₂ᵗ)``.
        **options: Passed on to `torch.optim.Adam`: ``maximize``, ``foreach``, ``capturable``,
            ``differentiable``, ``fused``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1; ``amsgrad``
        from Reddi, Kale, Kumar, "On the Convergence of Adam and Beyond", 2018, which has no
        correction of the bias.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> optimizer = Adam([w], lr=0.25)
        >>> w.grad = torch.tensor([1000.0, -0.001])  # however large, the first step is lr
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.7500, 1.2500])
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,  # noqa: FBT001, FBT002 - torch's order
        **options: Any,
    ) -> None: ...


@final
class AdamW(Moments, torch.optim.AdamW):
    """Adam with weight decay of its own: ``w ← w − lr λ w``, then Adam's step.

    Decay that goes through the gradient, as in `Adam`, is divided by √v̂ and so hardly touches
    the weights that move most.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        betas: ``(β₁, β₂)``, how much of each moment stays.
        eps: ε, keeps the quotient finite.
        weight_decay: λ.
        amsgrad: Take the largest v so far in place of v: ``v̂ = max v / (1 − β₂ᵗ)``.
        **options: Passed on to `torch.optim.AdamW`: ``maximize``, ``foreach``, ``capturable``,
            ``differentiable``, ``fused``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2;
        ``amsgrad`` as in `Adam`.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([2.0]))
        >>> optimizer = AdamW([w], lr=0.5, weight_decay=0.5)
        >>> w.grad = torch.tensor([0.0])  # no gradient: 2 − 0.5·0.5·2
        >>> optimizer.step()
        >>> w.item()
        1.5
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,  # noqa: FBT001, FBT002 - torch's order
        **options: Any,
    ) -> None: ...


@final
class Adamax(FirstOrder, torch.optim.Adamax):
    """Adam with the largest recent gradient in place of the root mean square.

    ``m ← β₁ m + (1 − β₁) g``, ``u ← max(β₂ u, |g| + ε)``; at step t
    ``w ← w − lr / (1 − β₁ᵗ) · m / u``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: Learning rate.
        betas: ``(β₁, β₂)``, how much of the mean and of the maximum stays.
        eps: ε, keeps the quotient finite.
        weight_decay: λ; ``g`` is the gradient plus ``λ w``.
        **options: Passed on to `torch.optim.Adamax`: ``maximize``, ``foreach``, ``capturable``,
            ``differentiable``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 2.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = Adamax([w], lr=0.25)
        >>> w.grad = torch.tensor([8.0])
        >>> optimizer.step()
        >>> w.item()
        0.75
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **options: Any,
    ) -> None: ...
