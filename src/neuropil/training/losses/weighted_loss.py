"""The objective of a training: the mean loss over the examples, which may have weights."""

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

# Probabilities of the classes may differ from 1 in sum by less than this.
SUM_TOLERANCE = 1e-3
ClassWeight = str | Sequence[float] | Tensor | None
# The default loss of networks that end in these layers.
LOSS_OF_LAYER = {"Softmax": "cross_entropy", "Sigmoid": "binary_cross_entropy"}


@final
class Objective:
    """Mean loss over examples as a function of scores: (1/N) Σᵢ wᵢ w(yᵢ) loss(outputsᵢ, yᵢ).

    Args:
        loss: Name of the loss, or a function that returns one value per example.
        class_weights: w(y), one weight per class; None is 1 for all classes.
        views: Conversions from scores to the input of the loss; None converts nothing.
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
        # Called in every step: without weights it is a single fused kernel.
        mean = self.loss.mean if class_weights is None else self.weighted_mean
        self.mean: Callable[[Any, Any], Tensor] = mean if self.view is None else self.mean_seen
        self.mean_of_seen = mean

    def seen(self, scores: Any) -> Any:
        """Convert scores to the input of the loss."""
        return scores if self.view is None else self.view(scores)

    def mean_seen(self, scores: Any, targets: Any) -> Tensor:
        """Return the mean loss after converting the scores."""
        return self.mean_of_seen(self.seen(scores), targets)

    def weighted(self, scores: Any, targets: Any, weights: Tensor) -> Tensor:
        """Return the mean loss after converting the scores, weighted by example."""
        return self.weighted_mean(self.seen(scores), targets, weights)

    def weighted_mean(self, scores: Any, targets: Any, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss, weighted by example and by class."""
        found = self.weights_of(scores, targets, weights)
        values = self.loss(scores, targets)
        values = values if found is None else values * found
        if self.loss.adds:
            return values.sum()
        total = self.total_weight(targets, weights)
        # A batch may have no weight at all.
        return values.mean() if total is None else values.sum() / total.where(total > 0, 1.0)

    def total_weight(self, targets: Any, weights: Tensor | None = None) -> Tensor | None:
        """Return the weight of a batch in the mean over batches, if not its number of examples.

        Args:
            targets: The targets of the batch.
            weights: One weight per example; None is 1 for all.
        """
        own = self.loss.weights_in_mean(targets)
        if own is None:
            return None
        return (own if weights is None else own * weights).sum()

    def per_example(self, loss: Tensor, rows: int) -> Tensor:
        """Return the loss of a batch for reports: the mean, also where the sum is minimised."""
        return loss / max(1, rows) if self.loss.adds else loss

    def weights_of(self, scores: Any, targets: Any, weights: Tensor | None) -> Tensor | None:
        """Return the weight of each example, by its own and that of its class, or None."""
        if self.class_weights is None:
            return weights
        by_class = example_weights(self.class_weights, self.loss.main(scores), targets)
        return by_class if weights is None else by_class * weights

    def judge(self) -> Objective:
        """Return the objective for validation, without auxiliary heads."""
        return Objective(self.loss.judge, self.class_weights, self.views)

    def residuals(self, scores: Any, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return residuals r with ``½‖r‖² = c · Σᵢ wᵢ w(yᵢ) ℓᵢ``, for Gauss–Newton methods.

        The squared error is already a sum of squares: r is ``s − t``, one for each output, and
        c is half the number of outputs. For any other loss, r is the root, ``r = √(2 w ℓ)``
        with c = 1, so that ``r ∇r`` is the gradient of the loss. There is one r for each output
        if the loss is a mean over the outputs, else one for each example.

        Args:
            scores: The scores of the network.
            targets: The targets.
            weights: wᵢ, one weight per example; None is 1 for all.

        Raises:
            ValueError: If the loss is negative for an example.
        """
        loss = self.loss
        scores = self.seen(scores)
        weights = self.weights_of(scores, targets, weights)
        if self.is_squared_error:
            targets = shaped_as_scores(loss.name, scores, targets)
            values = (scores - targets.to(scores.dtype)).flatten()
        elif loss.is_mean_over_outputs and isinstance(scores, Tensor) and scores.dim() > 1:
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
        """Return the factor c of `residuals`; the values have the same shape as the scores."""
        return scores[0].numel() / 2 if self.is_squared_error else 1.0

    @property
    def is_squared_error(self) -> bool:
        """Whether the loss is `squared_error`."""
        return self.loss.name == "squared_error" and not isinstance(self.loss, Custom)


def root_of(values: Tensor, loss: Loss) -> Tensor:
    """Return ``√(2 (ℓ + ε))``, whose derivative is finite also at ℓ = 0.

    Raises:
        ValueError: If a value of a user's loss is negative.
    """
    if isinstance(loss, Custom):
        least = float(values.detach().min())
        if least < 0:
            raise ValueError(
                f"this optimiser fits residuals, the roots of a loss, so the loss must not be "
                f"negative; {loss.name} returned {least:g}."
            )
    # Rounding may leave a value slightly below 0. Adding ε does not change the gradient: that
    # of r²/2 is still that of the loss.
    floor = torch.finfo(values.dtype).eps
    return (2 * (values.clamp(min=0) + floor)).sqrt()


def example_weights(weights: Tensor, scores: Tensor, targets: Tensor) -> Tensor:
    """Return the weight of each example; mixed targets get mixed weights.

    Raises:
        ValueError: If an example has several classes, one at each position.
    """
    if is_single(scores):  # binary targets, or probabilities
        yes = targets.clamp(min=0).flatten().to(weights.dtype)
        return weights[0] + (weights[1] - weights[0]) * yes
    if targets.is_floating_point():
        return targets.to(weights.dtype) @ weights
    if targets.ndim > 1:
        raise ValueError(
            f"class_weight needs one class per example, got targets of shape "
            f"{tuple(targets.shape)}."
        )
    return weights[targets.long().clamp(min=0)]  # the loss of an ignored class is 0


def default_loss(network: nn.Module, scores: Any, targets: Any) -> str:
    """Return the default loss for a network's last layer, or else for the targets.

    Args:
        network: The network; a last Softmax or Sigmoid decides.
        scores: Some scores of the network; a single one means a binary classification.
        targets: Some targets: integers are classes, floating-point numbers are values.
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

    ``"balanced"`` is N / (K · N_k): each class has the same total weight, and the mean weight
    of the examples is 1.

    Args:
        wanted: None, ``"balanced"``, or the weights.
        targets: All training targets, which ``"balanced"`` counts.
        classes: Number of classes; None if unknown.

    Raises:
        ValueError: If the weights do not match the classes, or the classes cannot be counted.
    """
    if wanted is None:
        return None
    if isinstance(wanted, str):
        if wanted != "balanced":
            raise ValueError(
                f"class_weight must be 'balanced', one weight per class, or None, got "
                f"{wanted!r}."
            )
        return balance(targets, classes)
    weights = torch.as_tensor(wanted, dtype=torch.get_default_dtype())
    if weights.ndim != 1 or (classes is not None and len(weights) != classes):
        count = f"{classes} weights, one" if classes else "one"
        raise ValueError(f"class_weight needs {count} per class, got {wanted!r}.")
    if not (torch.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(
            f"class_weight must be finite, not negative, and not all zero, got {wanted!r}."
        )
    if isinstance(targets, Tensor) and not are_classes(targets):
        raise ValueError(
            "class_weight is for classification: the targets must be class numbers, or "
            "probabilities of the classes."
        )
    return weights


def are_classes(targets: Tensor) -> bool:
    """Tell whether targets may be class numbers or probabilities of classes, not values."""
    if not targets.is_floating_point():
        return True
    if is_single(targets):  # a binary hinge takes -1 and 1
        return bool((targets.abs() <= 1).all())
    return bool((targets >= 0).all() and ((targets.sum(1) - 1).abs() < SUM_TOLERANCE).all())


def balance(targets: Any, classes: int | None) -> Tensor:
    """Return N / (K · N_k) for each class, and 0 for classes that do not occur.

    Raises:
        ValueError: If the targets are not class numbers in memory.
    """
    if not isinstance(targets, Tensor) or not torch.equal(targets, targets.long().to(targets)):
        raise ValueError(
            "class_weight='balanced' is for classification: the targets must be class numbers "
            "in memory."
        )
    counts = torch.bincount(targets.long().flatten().clamp(min=0), minlength=classes or 0)
    present = int((counts > 0).sum())
    weights = counts.sum() / (present * counts.clamp(min=1))
    return torch.where(counts > 0, weights, 0.0).to(torch.get_default_dtype())
