"""A scikit-learn regressor based on a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import RegressorMixin
from typing_extensions import override

from neuropil.core.moments import standardization
from neuropil.layers import Linear
from neuropil.training.estimators.base import Examples, NetworkEstimator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from neuropil.core import Network


@dataclass(eq=False, repr=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """Scikit-learn regressor based on a network.

    ŷ = scale · network(x) + mean, trained with the squared error of standardised targets;
    scale and mean convert predictions back to the units of the targets.

    Shape:
        ``X`` ``(n_samples, n_features)``, dense or sparse, or with the axes of images and
        sequences; ``y`` ``(n_samples,)`` or ``(n_samples, n_outputs)``.

    Args:
        network: Hidden layers such as ``Relu(64) >> Relu(64)``; a full network that ends in
            Linear with one unit per target; an expression; or None for one hidden layer of 100
            units. `fit` trains a copy with new random weights.
        loss: Name of the loss; a loss of torch, such as ``torch.nn.SmoothL1Loss()``; or a
            function of outputs and targets, both standardised. None is the squared error.
        optimizer: Name of the optimiser, such as ``"adam"``, or
            ``"levenberg_marquardt"`` for small networks; with options as
            ``"LevenbergMarquardt(restarts=64)"``. Line searches and optimisers that use
            curvature train in double precision.
        lr: Learning rate; None is the optimiser's default.
        epochs: Maximum number of passes over the data; None is 50. For optimisers that use all
            examples in every step, None is 500, or 100 if the steps are expensive.
        batch_size: Number of examples per step; ``"auto"`` is 2 % of the data, from 16 to
            256, or all for optimisers that need them.
        schedule: Name of the learning-rate schedule, such as ``"cosine"``, or None.
        validation_fraction: Fraction of the data held out for early stopping, which keeps the
            best weights; None trains on all data for all epochs.
        patience: Number of epochs without improvement before early stopping.
        device: Device to train on; None is the CPU.
        random_state: Seed or generator that makes the result repeatable.
        verbose: Whether to show progress.

    Attributes:
        network_: The trained `Network`, whose outputs are standardised.
        history_: The figures of each epoch.
        target_mean_: The mean of the targets.
        target_scale_: The standard deviation of the targets, 1 for constant ones.
        n_features_in_: Number of columns seen in `fit`.

    Raises:
        ValueError: If the number of outputs of the network is not the number of targets.

    Reference:
        The interface of ``sklearn.neural_network.MLPRegressor``. Inputs and targets are
        standardised internally, so no scaler is needed.

    Example:
        >>> import numpy as np
        >>> from neuropil import NetworkRegressor
        >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
        >>> model = NetworkRegressor(lr=0.01, random_state=0).fit(X, 1000 * X[:, 0] ** 2)
        >>> model.score(X, 1000 * X[:, 0] ** 2) > 0.98
        True
    """

    target_options: ClassVar[dict[str, bool]] = {"multi_output": True, "y_numeric": True}

    @property
    @override
    def default_loss(self) -> str:
        return "squared_error"

    @override
    def check_targets(self, y: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(y, dtype=np.float64)

    @override
    def learn_targets(self, examples: Examples, classes: Any) -> None:
        y, weights = torch.from_numpy(examples.targets), examples.weights
        weights = None if weights is None else torch.from_numpy(weights)
        mean, scale = standardization(y, [0], weights)
        self.target_mean_, self.target_scale_ = mean[0].numpy()[()], scale[0].numpy()[()]

    @override
    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        # Mean 0 and deviation 1 in double precision, then rounded.
        scaled = (y - self.target_mean_) / self.target_scale_
        return scaled.reshape(len(y), -1).astype(np.float32)

    @override
    def with_last_layer(self, network: Network) -> Network:
        last = network.nodes[-1].layer
        outputs = int(np.size(self.target_mean_))
        full = isinstance(last, Linear) and network.output_shape == (outputs,)
        network = network if full else network >> Linear(outputs)
        if network.output_shape != (outputs,):
            raise ValueError(
                f"the output shape of the network is {network.output_shape}, but y has "
                f"{outputs} columns: put Flatten() after {last!r}."
            )
        return network

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one more pass over these examples.

        The first call determines the scale of inputs and targets.

        Args:
            X: Inputs.
            y: Targets.
            sample_weight: The weight of each example, as in `fit`.
        """
        return self.train_one_epoch(X, y, sample_weight)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the predicted targets, in the units of `y` and in double precision.

        Args:
            X: Inputs.
        """
        outputs = self.outputs(X).astype(np.float64)
        if np.ndim(self.target_mean_) == 0:
            outputs = outputs[:, 0]
        return outputs * self.target_scale_ + self.target_mean_

    @override
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
