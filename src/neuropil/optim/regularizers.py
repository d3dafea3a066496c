"""Regularisers: penalties on the weights, and limits on their norms.

They can be added: ``l1(1e-4) + l2(1e-3, only=("relu1",)) + maxnorm(3)``. Biases and the
parameters of normalisation layers (every vector and scalar) are left out unless
``biases=True``.

`Regularizer.bind` looks the parameters up once, so that each step costs little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.optim.bound_regularizer import Bound, Part, select
from neuropil.optim.regularizer_terms import L1, L2, MaxNorm, Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn


def l1(
    rate: float, *, only: str | Sequence[str] | None = None, biases: bool = False
) -> Regularizer:
    """Pull weights to 0 with a constant force, so that many of them come close to 0.

    Adds ``rate · Σ |w|`` to the loss. Subgradient steps rarely end at exactly 0: a weight that
    the data do not need oscillates around 0; under gradient descent its distance from 0 stays
    within the learning rate times ``rate``.

    Args:
        rate: Factor of the sum, which is the force on each weight.
        only: Names of the modules to take, with their submodules; None takes all.
        biases: Whether vectors count too: biases and the parameters of normalisation.

    Raises:
        ValueError: If ``rate`` is negative or not finite.

    Reference:
        Tibshirani, "Regression Shrinkage and Selection via the Lasso", 1996, for the penalty;
        its exact zeros come from other optimisers.

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(2, 1)
        >>> _ = network.weight.data.copy_(torch.tensor([[3.0, -4.0]]))
        >>> l1(0.5).penalty(network).backward()
        >>> network.weight.grad
        tensor([[ 0.5000, -0.5000]])
    """
    return Regularizer((L1(rate, only, biases),))


def l2(
    rate: float, *, only: str | Sequence[str] | None = None, biases: bool = False
) -> Regularizer:
    """Pull weights to 0 in proportion to their size: weight decay.

    Adds ``rate · Σ w²`` to the loss, without a half: the gradient is ``2 · rate · w``, and
    ``l2(r)`` is ``weight_decay=2 * r`` of `GradientDescent`.

    Args:
        rate: Factor of the sum; usually from 1e-5 to 1e-2.
        only: Names of the modules to take, with their submodules; None takes all.
        biases: Whether vectors count too: biases and the parameters of normalisation.

    Raises:
        ValueError: If ``rate`` is negative or not finite.

    Reference:
        Krogh, Hertz, "A Simple Weight Decay Can Improve Generalization", 1991.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> network = nn.Linear(2, 1)
        >>> _ = network.weight.data.copy_(torch.tensor([[3.0, -4.0]]))
        >>> round(l2(0.1).penalty(network).item(), 4)
        2.5
    """
    return Regularizer((L2(rate, only, biases),))


def maxnorm(
    limit: float, *, only: str | Sequence[str] | None = None, biases: bool = False
) -> Regularizer:
    """Limit the norm of each unit's incoming weights: ``‖w‖₂ ≤ limit`` after each step.

    w is the vector of all weights into one unit or filter. A vector that is too long is scaled
    back to the limit; the others do not change. Nothing is added to the loss.

    Args:
        limit: The largest norm; 3 to 4 is usual together with dropout.
        only: Names of the modules to take, with their submodules; None takes all.
        biases: Whether vectors count too; each entry of a bias is limited separately.

    Raises:
        ValueError: If ``limit`` is not above 0 or not finite.

    Reference:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014, §5.1.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> network = nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.tensor([[3.0, -4.0], [0.5, 0.5]]))
        >>> maxnorm(1.0).project(network)
        >>> network.weight
        Parameter containing:
        tensor([[ 0.6000, -0.8000],
                [ 0.5000,  0.5000]], requires_grad=True)
    """
    return Regularizer((MaxNorm(limit, only, biases),))


@dataclass(frozen=True)
class Regularizer:
    """A sum of penalties and limits.

    Args:
        terms: The summands; `l1`, `l2` and `maxnorm` create one each.

    Example:
        >>> l1(1e-4) + maxnorm(3, only="relu1")
        l1(0.0001) + maxnorm(3, only=('relu1',))
    """

    terms: tuple[Term, ...] = ()

    @property
    def penalizes(self) -> bool:
        """Whether it adds something to the loss."""
        return any(term.penalizes for term in self.terms)

    @property
    def projects(self) -> bool:
        """Whether it projects the weights after each step."""
        return any(term.projects for term in self.terms)

    def bind(self, network: nn.Module) -> Bound:
        """Look up the trainable parameters that it acts on.

        Args:
            network: A network that has its parameters. Bind again after parameters are
                replaced, frozen or unfrozen.

        Raises:
            ValueError: If the network has no parameters yet, or no module of a given name.
        """
        parts = [Part(term, select(term, network)) for term in self.terms]
        return Bound([part for part in parts if part.weights])

    def penalty(self, network: nn.Module) -> Tensor:
        """Return the penalty of this network, without keeping the binding."""
        return self.bind(network).penalty()

    def project(self, network: nn.Module) -> None:
        """Project the weights of this network, without keeping the binding."""
        self.bind(network).project()

    def __add__(self, other: object) -> Regularizer:
        if isinstance(other, Regularizer):
            return Regularizer(self.terms + other.terms)
        return self if other == 0 else NotImplemented  # `sum` starts from 0

    __radd__ = __add__

    @override
    def __repr__(self) -> str:
        return " + ".join(map(repr, self.terms)) or "Regularizer()"
