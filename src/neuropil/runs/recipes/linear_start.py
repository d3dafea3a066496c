"""The linear model that a network for tables starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.architectures.default_networks import LINEAR_PATH
from neuropil.datasets.loading import in_memory
from neuropil.layers import Input
from neuropil.training.losses.weighted_loss import Objective, class_weights
from neuropil.training.threads import use_threads

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.datasets.source import Source
    from neuropil.runs.task import Task

# Strengths of the L2 penalty on the sum of the losses; each fit starts from the one before.
PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1)
# A weaker penalty is not tried if the loss has risen by this factor.
RISEN = 1.02
FOLDS = 5
# Maximum number of input values, so that a fit takes milliseconds and not minutes; but there
# are always this many rows, if the data have them.
VALUES, ROWS = 2_000_000, 1000


def fit_linear(
    inputs: Tensor,
    targets: Tensor,
    task: Task[Any],
    *,
    penalty: float | None = None,
    class_weight: Any = None,
) -> LinearModel:
    """Return the best linear model of some examples.

    It minimises ``Σ loss(W x + b, y) + ½ a ‖W‖²`` over normalised inputs x. With the squared
    error it is ridge regression, with the cross entropy logistic regression.

    Args:
        inputs: The raw inputs.
        targets: The targets as the loss takes them.
        task: The task of the network.
        penalty: The strength a; None chooses it by cross-validation.
        class_weight: Class weights, as for `Trainer`.

    Example:
        >>> from neuropil.architectures import dense
        >>> from neuropil.datasets import Numbers
        >>> from neuropil.layers import Linear
        >>> from neuropil.runs.regression import Regression
        >>> x = torch.linspace(-1, 1, 100).reshape(-1, 1)
        >>> task = Regression(Numbers((0.0,), (1.0,)))
        >>> network = dense((1,), Linear(1), linear_path=True)
        >>> fit_linear(x, 3 * x + 1, task).start(network)
        >>> network.predict(torch.tensor([[0.0], [1.0]])).round(decimals=2).flatten().tolist()
        [1.0, 4.0]
    """
    source = Input(*inputs.shape[1:])
    source.normalize(inputs)
    every = -(-len(inputs) // max(ROWS, VALUES // max(1, inputs[0].numel())))
    x, some = source(inputs[::every]).flatten(1).double(), targets[::every]
    weights = class_weights(class_weight, targets, task.outputs)
    objective = Objective(task.loss, None if weights is None else weights.double())
    with use_threads(1):
        if penalty is None:
            penalty = best_penalty(x, some, objective, task.outputs)
        model = LinearModel(x, some, objective, task.outputs)
        model.fit(penalty)
    model.inputs = inputs
    return model


def linear_model_of(source: Source, task: Task[Any], **options: Any) -> LinearModel:
    """Return the best linear model of the examples of a source.

    Args:
        source: The examples, which are read into memory.
        task: The task of the network.
        **options: Further options of `fit_linear`.
    """
    data: Any = in_memory(source)
    return fit_linear(data.inputs, task.encode(data.targets), task, **options)


def best_penalty(x: Tensor, targets: Tensor, objective: Objective, outputs: int) -> float:
    """Return the strength of the penalty with the lowest loss in cross-validation."""
    folds = torch.arange(len(x)) % FOLDS
    if len(x) < 2 * FOLDS:
        return 1.0
    parts = [(folds != k, folds == k) for k in range(FOLDS)]
    models = [LinearModel(x[own], targets[own], objective, outputs) for own, _ in parts]
    best, lowest = PENALTIES[0], torch.inf
    for penalty in PENALTIES:
        total = 0.0
        for model, (_, held_out) in zip(models, parts, strict=True):
            model.fit(penalty)
            total += model.loss(x[held_out], targets[held_out]) * int(held_out.sum())
        if not total < lowest * RISEN:
            break
        if total < lowest:
            best, lowest = penalty, total
    return best


@final
@dataclass(eq=False)
class LinearModel:
    """A linear model of some rows, fitted with one penalty after another.

    Args:
        x: The inputs ``(rows, columns)``.
        targets: The targets.
        objective: The mean loss.
        outputs: Number of outputs.
    """

    x: Tensor
    targets: Tensor
    objective: Objective
    outputs: int

    def __post_init__(self) -> None:
        self.weight = self.x.new_zeros(self.x.shape[1], self.outputs, requires_grad=True)
        self.bias = self.x.new_zeros(self.outputs, requires_grad=True)
        self.penalty = 0.0
        self.inputs = self.x

    def loss(self, x: Tensor, targets: Tensor) -> float:
        """Return the mean loss on other rows."""
        with torch.no_grad():
            scores = x @ self.weight + self.bias
            prepared = self.objective.loss.prepare(targets, scores[:2])
            return float(self.objective.mean(scores, prepared))

    def fit(self, penalty: float) -> None:
        """Minimise the loss with a penalty, from the current weights."""
        self.penalty = penalty
        x, weight, bias, mean = self.x, self.weight, self.bias, self.objective.mean
        targets = self.objective.loss.prepare(self.targets, x.new_zeros(2, self.outputs))
        optimizer = torch.optim.LBFGS(
            [weight, bias],
            max_iter=100,
            tolerance_grad=1e-4,
            tolerance_change=1e-6,
            history_size=20,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = mean(x @ weight + bias, targets)
            loss = loss + 0.5 * penalty / len(x) * weight.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    def start(self, network: Network) -> None:
        """Set the linear path of a network to this model.

        A network without hidden layers becomes the model, and so does one with a linear path
        while the last layer of its hidden part is zero. Other networks are only normalised.

        Args:
            network: The network.
        """
        network.normalize(self.inputs)
        affine = [layer for layer in network.layers.values() if hasattr(layer, "weight")]
        layer: Any = network.layers.get(LINEAR_PATH, affine[0])
        if layer is affine[0] and len(affine) > 1:
            return
        if bool(self.weight.isfinite().all() and self.bias.isfinite().all()):
            with torch.no_grad():
                layer.weight.copy_(self.weight.T)
                layer.bias.copy_(self.bias)
