"""A penalty on mixtures of experts whose gate sends most samples to a few experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.optim.regularizer_terms import Term, Weight, total
from neuropil.optim.regularizers import Regularizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn


def balance(rate: float = 0.01, *, only: str | Sequence[str] | None = None) -> Regularizer:
    """Spread the samples evenly over the experts of a mixture.

    Adds ``rate · Σ balance_loss`` over all `MixtureOfExperts` to the loss. With E experts each
    adds ``rate`` where its gate's mean probabilities are equal, and up to ``rate · E`` where
    one expert has all samples and all of the probability.

    Args:
        rate: Factor of the sum.
        only: Names of the modules to take, with their submodules; None takes all.

    Raises:
        ValueError: If ``rate`` is negative or not finite.

    Reference:
        Fedus, Zoph, Shazeer, "Switch transformers", 2022, section 2.2; the rate is theirs.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input, Linear, MixtureOfExperts
        >>> network = Input(3) >> MixtureOfExperts(Linear(2), 4, top_k=1)
        >>> _ = network.train()(torch.zeros(6, 3))  # all scores are 0: equal probabilities
        >>> balance(0.5).penalty(network).item()
        0.5
        >>> balance(0.01) + balance(0.1, only="mixtureofexperts2")
        balance(0.01) + balance(0.1, only=('mixtureofexperts2',))
    """
    return Regularizer((Balance(rate, only),))


@final
class Balance(Term):
    """``rate · Σ balance_loss`` of the last forward pass."""

    @override
    def takes(self, path: str, module: nn.Module, parameter: nn.Parameter) -> bool:
        return self.names(path) and hasattr(module, "balance_loss")

    @override
    def value(self, weights: list[Weight]) -> Tensor:
        gates: dict[int, Any] = {id(owner): owner for _, owner in weights}
        return self.amount * total([gate.balance_loss for gate in gates.values()])

    @override
    def add_gradients(self, weights: list[Weight]) -> None:
        raise NotImplementedError(
            f"{self!r} depends on the batch, so its gradient cannot be added separately: add "
            f"penalty() to the loss."
        )
