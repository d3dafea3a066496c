"""What a training makes small: the mean of a loss over the examples, weighted by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from neuropil.training.losses.base import Custom
from neuropil.training.losses.loss_targets import is_single, shaped_as_scores
from neuropil.training.losses.losses import resolve

if TYPE_CHECKING:
    from neuropil.training.losses.base import Loss
    from neuropil.training.losses.score_views import Views

ClassWeight = str | Sequence[float] | Tensor | None
# The loss that belongs to a last layer which turns scores into probabilities.
LOSS_OF_LAYER = {"Softmax": "cross_entropy", "Sigmoid": "binary_cross_entropy"}


@final
class Objective:
    """A loss over examples: (1/N) Σᵢ w(yᵢ) · loss(outputsᵢ, yᵢ), given the network's scores.

    Args:
        loss: Its name, or a function that gives one value per example.
        class_weights: w, one per class; None is 1 for all.
        views: What turns scores into what the loss takes; by default it takes them as they are.
    """

    def __init__(
        self,
        loss: str | Callable[..., Any],
        class_weights: Tensor | None = None,
        views: Views | None = None,
    ) -> None:
        self.loss: Loss = resolve(loss)
        self.class_weights = class_weights
        self.views = views
        self.view = None if views is None else views.of(self.loss.takes)
        # Called in every step: without weights it is the loss's own, which is one fused kernel.
        mean = self.loss.mean if class_weights is None else self.weighted_mean
        self.mean: Callable[[Any, Any], Tensor] = mean if self.view is None else self.mean_seen
        self.mean_of_seen = mean

    def seen(self, scores: Any) -> Any:
        """Return what the loss takes of a network that gives these scores."""
        return scores if self.view is None else self.view(scores)

    def mean_seen(self, scores: Any, targets: Any) -> Tensor:
        """Return the mean over what the loss takes."""
        return self.mean_of_seen(self.seen(scores), targets)

    def weighted_mean(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the mean with a weight for each example's class."""
        weights = self.class_weights
        if weights is None:
            return self.loss.mean(scores, targets)
        weights = example_weights(weights, self.loss.main(scores), targets)
        return (self.loss(scores, targets) * weights).mean()

    def judge(self) -> Objective:
        """Return the objective of the scores that count in the end, without helping outputs."""
        return Objective(self.loss.judge, self.class_weights, self.views)

    def residuals(self, scores: Any, targets: Tensor) -> Tensor:
        """Return r with ``½‖r‖² = c · Σᵢ w(yᵢ) ℓᵢ``, which Gauss–Newton methods ask for.

        The squared error is a sum of squares already: r is ``s − t``, one for each output, and
        c half the number of outputs. Any other loss goes by its root, ``r = √(2 w ℓ)`` with
        c = 1, whose gradient ``r ∇r`` is that of the loss; one for each output where the loss
        is a mean over these, else one for each example.

        Args:
            scores: What the network gives.
            targets: What it should give.

        Raises:
            ValueError: When the loss is negative somewhere.
        """
        loss = self.loss
        scores = self.seen(scores)
        weights = self.class_weights
        if weights is not None:
            weights = example_weights(weights, loss.main(scores), targets)
        if self.is_squared_error:
            targets = shaped_as_scores(loss.name, scores, targets)
            values = (scores - targets.to(scores.dtype)).flatten()
        elif scores_several(scores) and loss.is_mean_over_outputs:
            targets = shaped_as_scores(loss.name, scores, targets)
            values = root_of(loss(scores.flatten(), targets.flatten()), loss)
            values = values / math.sqrt(scores[0].numel())
        else:
            values = root_of(loss(scores, targets), loss)
        if weights is None:
            return values
        each = len(values) // len(weights)
        return values * weights.to(values).sqrt().repeat_interleave(each)

    def share(self, scores: Any) -> float:
        """Return the c of `residuals`; values have as many numbers as scores."""
        return scores[0].numel() / 2 if self.is_squared_error else 1.0

    @property
    def is_squared_error(self) -> bool:
        """Whether the loss is ours of that name."""
        return self.loss.name == "squared_error" and not isinstance(self.loss, Custom)


def scores_several(scores: Any) -> bool:
    """Tell whether each example has an axis of scores."""
    return isinstance(scores, Tensor) and scores.dim() > 1


def root_of(values: Tensor, loss: Loss) -> Tensor:
    """Return ``√(2 ℓ)``, whose derivative is finite at ℓ = 0 too.

    Raises:
        ValueError: When a value is negative.
    """
    if isinstance(loss, Custom):
        least = float(values.detach().min())
        if least < 0:
            raise ValueError(
                f"this optimiser fits residuals, the roots of a loss that is never negative; "
                f"{loss.name} gave {least:g}."
            )
    # Rounding may leave a little less than 0. What is added changes no gradient: of r²/2, it
    # is that of the loss.
    floor = torch.finfo(values.dtype).eps
    return (2 * (values.clamp(min=0) + floor)).sqrt()


def example_weights(weights: Tensor, scores: Tensor, targets: Tensor) -> Tensor:
    """Return the weight of each example; mixed classes have mixed weights.

    Raises:
        ValueError: When an example has several classes, one at each position.
    """
    if is_single(scores):  # one score: no or yes, 0 or 1, or a probability in between
        yes = targets.clamp(min=0).flatten().to(weights.dtype)
        return weights[0] + (weights[1] - weights[0]) * yes
    if targets.is_floating_point():
        return targets.to(weights.dtype) @ weights
    if targets.ndim > 1:
        raise ValueError(
            f"class_weight needs one class per example, got targets of shape "
            f"{tuple(targets.shape)}."
        )
    return weights[targets.long()]


def default_loss(network: nn.Module, scores: Any, targets: Any) -> str:
    """Return the loss that suits a network's last layer, or else the targets.

    Args:
        network: Its last layer decides when it is a Softmax or Sigmoid.
        scores: Some of its scores: a single one answers yes or no.
        targets: Some targets: integers are classes, floating-point numbers are to be met.
    """
    nodes = getattr(network, "nodes", ())
    last = type(nodes[-1].layer).__name__ if nodes else ""
    if last in LOSS_OF_LAYER:
        return LOSS_OF_LAYER[last]
    if isinstance(targets, Tensor) and targets.is_floating_point():
        return "squared_error"
    single = isinstance(scores, Tensor) and is_single(scores)
    return "binary_cross_entropy" if single else "cross_entropy"


def class_weights(wanted: ClassWeight, targets: Any, classes: int | None) -> Tensor | None:
    """Return one weight per class.

    ``"balanced"`` is N / (K · N_k): each class weighs the same in all, and the mean weight of
    the examples is 1.

    Args:
        wanted: None, ``"balanced"``, or the weights.
        targets: All training targets, for ``"balanced"`` to count.
        classes: How many classes there are; None where the network does not tell.

    Raises:
        ValueError: When the weights do not fit the classes, or these cannot be counted.
    """
    if wanted is None:
        return None
    if isinstance(wanted, str):
        if wanted != "balanced":
            raise ValueError(
                f"class_weight is 'balanced', one weight per class, or None; got {wanted!r}."
            )
        return balance(targets, classes)
    weights = torch.as_tensor(wanted, dtype=torch.get_default_dtype())
    if weights.ndim != 1 or (classes is not None and len(weights) != classes):
        count = f"{classes} weights, one" if classes else "one"
        raise ValueError(f"class_weight needs {count} per class, got {wanted!r}.")
    if not (torch.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(f"class_weight must not be negative, got {wanted!r}.")
    return weights


def balance(targets: Any, classes: int | None) -> Tensor:
    """Return N / (K · N_k), and 0 for classes that never occur.

    Raises:
        ValueError: When the targets are not class numbers in memory.
    """
    if not isinstance(targets, Tensor) or not torch.equal(targets, targets.long().to(targets)):
        raise ValueError(
            "class_weight='balanced' is for classification: targets must be class numbers, in "
            "memory."
        )
    counts = torch.bincount(targets.long().flatten().clamp(min=0), minlength=classes or 0)
    present = int((counts > 0).sum())
    weights = counts.sum() / (present * counts.clamp(min=1))
    return torch.where(counts > 0, weights, 0.0).to(torch.get_default_dtype())
