"""Resilient backpropagation: steps that follow the signs of the gradient, not its size."""

# pyright: reportPrivateUsage=false
# Torch's operations on lists of tensors have private names, the same from 2.6 to 2.13.

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.batch_method import BatchMethod, refusing_backward
from neuropil.optim.first_order.base import FirstOrder
from neuropil.optim.optimizer_options import RULES, pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

Pair: TypeAlias = tuple[float, float]


STEP_RULES = RULES | {
    "etas": pair("(η⁻, η⁺), 0 < η⁻ < 1 < η⁺", lambda low, high: 0 < low < 1 < high),
    "step_sizes": pair(
        "(smallest, largest), 0 ≤ smallest ≤ largest",
        lambda low, high: 0 <= low <= high and high > 0,
    ),
}


@final
class RPROP(FirstOrder, torch.optim.Rprop):
    """A separate step length for each weight, adapted by the sign of its gradient alone.

    With ``s = sign(g) · sign(previous g)`` for each weight: if ``s = 1``, Δ ← η⁺ Δ and
    ``w ← w − sign(g) Δ``; if ``s = −1``, Δ ← η⁻ Δ, w does not move in this step, and g counts
    as 0 in the next; if ``s = 0``, ``w ← w − sign(g) Δ``. Δ stays between its limits. RPROP
    needs the gradient over all examples: on small batches the signs change by chance.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: The first Δ.
        etas: ``(η⁻, η⁺)``, the factors of the step lengths.
        step_sizes: The smallest and the largest Δ.
        **options: Passed on to `torch.optim.Rprop`: ``maximize``, ``foreach``, ``capturable``,
            ``differentiable``.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Riedmiller, Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The
        RPROP Algorithm", 1993. The update is `torch.optim.Rprop`'s, which is iRPROP⁻ of Igel
        and Hüsken, "Improving the Rprop Learning Algorithm", 2000; Δ at first is theirs too.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> optimizer = RPROP([w], lr=0.25, etas=(0.5, 2.0))
        >>> for _ in range(2):  # steps of 0.25 and 0.5, however large the gradient is
        ...     w.grad = torch.tensor([1000.0, -0.001])
        ...     optimizer.step()
        >>> w.tolist()
        [0.25, 1.75]
    """

    rules = STEP_RULES
    # The signs of the gradient are meaningful only over all examples.
    full_batch = True

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.0125,
        etas: Pair = (0.5, 1.2),
        step_sizes: Pair = (1e-6, 50.0),
        **options: Any,
    ) -> None: ...


@final
class IRPROPPlus(BatchMethod):
    """RPROP that undoes the step of a weight whose gradient changed sign, if the loss grew.

    With ``s = sign(g) · sign(previous g)`` for each weight:

    - ``s = 1``: Δ ← min(η⁺ Δ, Δ_max), ``w ← w − sign(g) Δ``;
    - ``s = −1``: Δ ← max(η⁻ Δ, Δ_min), and if the loss is larger than one step ago, the weight
      returns to its value then; g counts as 0 in the next step;
    - ``s = 0``: ``w ← w − sign(g) Δ``.

    It compares the losses of two steps, so each needs all examples. A loss or a gradient that
    is not finite undoes the last step of all weights, as if every gradient had changed sign.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        lr: The first Δ.
        etas: ``(η⁻, η⁺)``, the factors of the step lengths.
        step_sizes: ``(Δ_min, Δ_max)``, the smallest and the largest.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Igel, Hüsken, "Improving the Rprop Learning Algorithm", 2000, and "Empirical Evaluation
        of the Improved Rprop Learning Algorithms", 2003, with its defaults. The care
        for losses that are not finite is ours.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = IRPROPPlus([w], lr=1.5, etas=(0.5, 1.5))
        >>> path = []
        >>> for _ in range(4):  # to −0.5; it turned, and w² fell: stay; Δ is 0.75; then 0.375
        ...     _ = optimizer.step(lambda: (w**2).sum())
        ...     path.append(w.item())
        >>> path
        [-0.5, -0.5, 0.25, 0.25]
    """

    rules = STEP_RULES

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.0125,
        etas: Pair = (0.5, 1.2),
        step_sizes: Pair = (0.0, 50.0),
    ) -> None: ...

    @override
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.check(self.defaults | param_group)
        # Skip the base class's check: weights move one by one here, so groups may differ.
        super(BatchMethod, self).add_param_group(param_group)

    @override
    @refusing_backward
    def step(self, closure: Callable[[], Any]) -> Tensor:
        groups = [
            (group, [p for p in group["params"] if p.requires_grad and p.numel()])
            for group in self.param_groups
        ]
        params = [p for _, members in groups for p in members]
        loss, grads = self.evaluate(closure, params)
        peaks = [peak.to(loss) for peak in torch._foreach_norm(grads, math.inf)]
        value, *largest = torch.stack([loss, *peaks]).tolist()
        peak = max(largest) if all(map(math.isfinite, largest)) else math.nan
        finite = math.isfinite(value) and math.isfinite(peak)
        before = self.memory.get("loss", math.nan)
        moved = True
        with torch.no_grad():
            if finite:
                signs = list(torch._foreach_sign(grads))
            else:
                # The opposite of the last signs: every weight counts as one whose gradient
                # changed sign.
                signs = [-self.states(group, [p])[0][0] for group, ps in groups for p in ps]
                moved = any(bool(sign.any()) for sign in signs)
            start = 0
            for group, members in groups:
                if members:
                    own = signs[start : start + len(members)]
                    self.move(group, members, own, grew=value > before or not finite)
                start += len(members)
        if finite:
            self.note("gradient" if peak == 0 else "going on", value, peak, 1)
        else:  # the next loss is compared with the last finite one
            self.note("going on" if moved else "not finite", before, peak, 1)
        return loss

    def evaluate(
        self, closure: Callable[[], Any], params: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the loss and its gradients.

        Raises:
            ValueError: If every parameter is frozen.
        """
        if not params:
            self.weights()
        loss = self.scalar(closure())
        grads = torch.autograd.grad(loss, params, allow_unused=True, materialize_grads=True)
        return loss.detach(), list(grads)

    def states(
        self, group: dict[str, Any], params: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return each parameter's last signs and its step lengths."""
        for parameter in params:
            state = self.state[parameter]
            if "signs" not in state:
                state["signs"] = torch.zeros_like(parameter)
                state["sizes"] = torch.full_like(parameter, group["lr"])
        return (
            [self.state[parameter]["signs"] for parameter in params],
            [self.state[parameter]["sizes"] for parameter in params],
        )

    def move(
        self, group: dict[str, Any], params: list[Tensor], signs: list[Tensor], *, grew: bool
    ) -> None:
        """Move a group's weights.

        Args:
            group: Its options.
            params: Its parameters.
            signs: The signs of their gradients.
            grew: Whether the loss is larger than one step ago.
        """
        last, sizes = self.states(group, params)
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        # Signs, their products and masks are −1, 0 or 1, so the three cases can be written as
        # sums and products over all weights: no branches, and one call per operation whatever
        # the number of weights.
        # 1 where the sign is as before, −1 where it changed, 0 after a change or for 0.
        product = torch._foreach_mul(signs, last)
        turned = torch._foreach_clamp_max(product, 0)  # −1 or 0
        same = torch._foreach_clamp_min(product, 0)  # 1 or 0
        if grew:  # the last step was −(last sign) · size
            back = torch._foreach_mul(last, sizes)
            torch._foreach_addcmul_(params, turned, back, value=-1.0)
        # Δ ← η⁺ Δ where the sign is the same, and next Δ ← η⁻ Δ where it changed; else a factor
        # of 1.
        torch._foreach_mul_(sizes, torch._foreach_pow(grow, same))
        torch._foreach_mul_(sizes, torch._foreach_pow(shrink, torch._foreach_neg(turned)))
        torch._foreach_clamp_min_(sizes, smallest)
        torch._foreach_clamp_max_(sizes, largest)
        # Where the gradient changed sign, its sign counts as 0 now and in the next step: the
        # weight does not move.
        mask = torch._foreach_add(turned, 1)
        torch._foreach_copy_(last, torch._foreach_mul(signs, mask))
        torch._foreach_addcmul_(params, last, sizes, value=-1.0)
