"""The residuals of a closure, and their linear model around the current weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.optim.least_squares.gauss_newton import GaussNewton

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuropil.optim.least_squares.jacobian import Jacobian
    from neuropil.optim.parameter_vector import WeightVector


@final
@dataclass
class Residuals:
    """r(w): the residuals that a closure returns for the weights in the parameters.

    Args:
        closure: Returns r, or an iterable of portions of it.
        weights: The parameters that make up w.
        jacobian: The Jacobian of r.
    """

    closure: Callable[[], Any]
    weights: WeightVector
    jacobian: Jacobian
    evaluations: int = field(default=0, init=False)

    def linearize(self, *, whole: bool) -> GaussNewton:
        """Return the model of ½‖r‖² around the current weights.

        Args:
            whole: Keep J even if it has more rows than columns.

        Raises:
            TypeError: If the closure does not return residuals.
            ValueError: If the closure returns none.
        """
        model = GaussNewton(self.weights.read(), whole=whole)
        self.evaluations += 1
        self.loss = model.weights.new_zeros(())
        self.start: Tensor | None = None
        with torch.enable_grad():
            for portion in self.jacobian.portions(self.closure):
                residuals = self.vector(portion)
                if not residuals.requires_grad:
                    raise TypeError(
                        f"{self.weights.owner}: the residuals do not depend on the parameters."
                    )
                r = residuals.detach()
                self.start = r if model.height == 0 else None
                self.loss += 0.5 * r.dot(r)
                model.add(r, self.jacobian.blocks(residuals))
        self.count = model.height
        if not self.count:
            raise ValueError(f"{self.weights.owner}: the closure returned no residuals.")
        model.close()
        return model

    def at(self, w: Tensor) -> Tensor:
        """Return r(w) as one vector, and leave w in the parameters."""
        return torch.cat(list(self.portions(w)))

    def fall(self, w: Tensor) -> Tensor:
        """Return the decrease of ½‖r‖² from the start to w, and leave w in the parameters.

        Raises:
            ValueError: If the number of residuals has changed.
        """
        portions = self.portions(w)
        if self.start is not None:
            # As the product (r₀ − r)·(r₀ + r) / 2: the difference of two sums of squares would
            # lose digits near the minimum.
            r = next(portions)
            if r.shape == self.start.shape and next(portions, None) is None:
                return 0.5 * (self.start - r).dot(self.start + r)
            count = len(r)
        else:
            loss, count = torch.zeros_like(self.loss), 0
            for r in portions:
                loss += 0.5 * r.dot(r)
                count += len(r)
            if count == self.count:
                return self.loss - loss
        raise ValueError(
            f"{self.weights.owner}: the closure must return the same number of residuals "
            f"throughout a step, got {self.count}, then {count}."
        )

    def portions(self, w: Tensor) -> Iterator[Tensor]:
        """Yield r(w) portion by portion."""
        self.evaluations += 1
        self.weights.write(w)
        value = self.closure()
        for portion in [value] if isinstance(value, Tensor) else value:
            yield self.vector(portion).detach()

    def vector(self, value: Any) -> Tensor:
        """Return the closure's residuals, after checking that they are a real vector.

        Raises:
            TypeError: If the value is anything else.
        """
        if isinstance(value, Tensor) and value.ndim == 1 and value.is_floating_point():
            return value
        shown = f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise TypeError(
            f"{self.weights.owner}: the closure must return the residuals, one vector (N,) or "
            f"an iterable of such portions, got {shown}."
        )
