"""A network as a scikit-learn regressor: targets in their own units, one or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data
from typing_extensions import override

from neuropil.core.moments import standardization
from neuropil.layers import Linear
from neuropil.training.estimators.base import NetworkEstimator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from neuropil.core import Network


@dataclass(eq=False, repr=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network as a scikit-learn regressor.

    ŷ = network(x), trained to the least squared error on standardised targets and given back in
    their units.

    Shape:
        ``X`` ``(n_samples, n_features)``, or with the axes of pictures and sequences; ``y``
        ``(n_samples,)`` or ``(n_samples, n_outputs)``.

    Args:
        network: Hidden layers such as ``Relu(64) >> Relu(64)``; a full network that ends in as
            many Linear units as there are targets; an expression; or None for one hidden layer
            of 100. `fit` works on a fresh copy with weights drawn anew.
        optimizer: Name of the optimiser, such as ``"adam"``, or
            ``"levenberg_marquardt"`` for small networks; with options as
            ``"LevenbergMarquardt(restarts=64)"``. Those that search along lines or use
            curvature train in double precision.
        lr: Learning rate; None is the optimiser's own.
        epochs: Passes over the data; None is 50, and for optimisers that take all examples in
            every step 500, or 100 where these are costly, unless they come to an end before.
        batch_size: Examples a step; ``"auto"`` takes a fiftieth of the data, from 16 to 256, or
            all where the optimiser wants them.
        schedule: Name of the learning rate's schedule, such as ``"cosine"``, or None.
        validation_fraction: Share of the data held out, on which training stops early and the
            best weights are kept; None trains on all of it for all epochs.
        patience: Epochs without improvement there before training stops.
        device: Where to train; None is the CPU.
        random_state: Makes the result repeatable.
        verbose: Whether to show progress.

    Attributes:
        network_: The trained `Network`, which gives standardised values.
        history_: The figures of each epoch.
        target_mean_: What is added to them after multiplying.
        target_scale_: What they are multiplied by.
        n_features_in_: Number of columns seen in `fit`.

    Raises:
        ValueError: When the network does not end in as many outputs as there are targets.

    Reference:
        The interface of ``sklearn.neural_network.MLPRegressor``. Inputs and targets are
        standardised inside, so no scaler is needed.

    Example:
        >>> import numpy as np
        >>> from neuropil import NetworkRegressor
        >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
        >>> model = NetworkRegressor(lr=0.01, random_state=0).fit(X, 1000 * X[:, 0] ** 2)
        >>> model.score(X, 1000 * X[:, 0] ** 2) > 0.98
        True
    """

    loss_name: ClassVar[str] = "squared_error"

    @override
    def check_data(
        self, X: ArrayLike, y: ArrayLike, *, first: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = validate_data(
            self, X, y, reset=first, dtype=(np.float64, np.float32), allow_nd=True,
            multi_output=True, y_numeric=True,
        )  # fmt: skip
        return np.asarray(X), np.asarray(y, dtype=np.float64)

    @override
    def learn_targets(self, y: NDArray[Any]) -> NDArray[Any]:
        mean, scale = standardization(torch.from_numpy(y), [0])
        self.target_mean_, self.target_scale_ = mean[0].numpy()[()], scale[0].numpy()[()]
        return self.standardize(y)

    def standardize(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets of mean 0 and deviation 1, in single precision."""
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
                f"the network gives {network.output_shape} and y has {outputs} columns: put "
                f"Flatten() after {last!r}."
            )
        return network

    @override
    def weights(self, labels: NDArray[Any]) -> None:
        return None

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train for one more pass over these examples.

        The first call decides the scale of inputs and targets.

        Args:
            X: Inputs.
            y: Targets.
        """
        first = not hasattr(self, "network_")
        X, y = self.check_data(X, y, first=first)
        if first:
            self.learn_targets(y)
            self.start(X)
        self.train(X, self.standardize(y), 1, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the predicted targets, in their units and in double precision.

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
