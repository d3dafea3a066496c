"""Networks as scikit-learn estimators: any labels, pipelines, grid search, pickling."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data
from typing_extensions import override

from neuropil import algorithms
from neuropil.core import Layer, Network
from neuropil.core.network import as_network
from neuropil.layers import Flatten, Input, Linear, Relu, Softmax
from neuropil.training.callbacks import BestWeights, EarlyStopping
from neuropil.training.closure import check_lr, default_epochs, needs, takes_all
from neuropil.training.history import History
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

HIDDEN = 100


class NetworkEstimator(BaseEstimator):
    """What both estimators share: making the network, training it, running it.

    Args:
        network: Hidden layers, a full network, an expression, or None.
        algorithm: Name of the gradient algorithm.
        lr: Learning rate, or None for the algorithm's own.
        epochs: Passes over the data, or None for what suits the algorithm.
        batch_size: Examples a step, or ``"auto"``.
        schedule: Name of the learning rate's schedule, or None.
        validation_fraction: Share held out to stop early, or None.
        patience: Epochs without improvement before stopping.
        device: Where to train.
        random_state: Makes the result repeatable.
        verbose: Whether to show progress.
    """

    def __init__(
        self,
        network: Network | Layer | str | None = None,
        *,
        algorithm: str = "adam",
        lr: float | None = None,
        epochs: int | None = None,
        batch_size: int | str = "auto",
        schedule: str | None = None,
        validation_fraction: float | None = None,
        patience: int = 10,
        device: str | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.network = network
        self.algorithm = algorithm
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.schedule = schedule
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a fresh network.

        Args:
            X: Inputs, one row an example; pictures and sequences keep their axes.
            y: What to predict.
        """
        X, y = self.checked(X, y, first=True)
        targets = self.learn_targets(y)
        self.start(X)
        made = algorithms.by_name(self.algorithm)
        self.train(X, targets, self.epochs or default_epochs(made), y)
        return self

    def start(self, X: NDArray[Any]) -> None:
        """Make the network and forget what was learnt."""
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.network_ = self.made(X.shape[1:])
        self.network_.reset_parameters(torch.Generator().manual_seed(self.seed_))
        self.history_ = History()
        self.algorithm_state_: dict[str, Any] | None = None

    def made(self, shape: tuple[int, ...]) -> Network:
        """Return a fresh network for inputs of this shape."""
        network = self.network
        if isinstance(network, str):
            network = Network.parse(network)
        elif network is None:
            network = Relu(HIDDEN) if len(shape) == 1 else Flatten() >> Relu(HIDDEN)
        network = as_network(copy.deepcopy(network))
        if network.graph.is_open:
            network = Input(*shape) >> network
        return self.with_last_layer(network)

    def train(
        self, X: NDArray[Any], targets: NDArray[Any], epochs: int, labels: NDArray[Any]
    ) -> None:
        """Go on training for some epochs."""
        network = self.network_.to(self.trained_type())
        bound = self.bound(network)
        if self.algorithm_state_ is not None:
            bound.load_state_dict(self.algorithm_state_)
        callbacks = []
        if self.validation_fraction is not None:
            callbacks = [EarlyStopping(self.patience), BestWeights()]
        trainer = Trainer(
            network,
            loss=self.loss_name,
            algorithm=bound,
            schedule=self.schedule,
            callbacks=callbacks,
            class_weight=self.weights(labels),
            seed=self.seed_ + len(self.history_),
            device=self.device,
            progress=self.verbose,
        )
        train, validation = self.parts(X, targets)
        history = trainer.fit(
            train,
            validation,
            epochs=epochs,
            batch_size=self.examples_a_step(len(train[0]), bound),
        )
        self.history_ = History([*self.history_, *history])
        self.algorithm_state_ = bound.state_dict()
        network.cpu().to(torch.float32 if X.dtype == np.float32 else torch.float64)

    def trained_type(self) -> torch.dtype:
        """Return the type that networks train in; they predict in that of the data.

        The decrease that a line search or a curvature foretells is soon below what single
        precision shows.
        """
        asked = needs(algorithms.by_name(self.algorithm))
        exact = asked != "gradient" and not str(self.device).startswith("mps")
        return torch.float64 if exact else torch.float32

    def bound(self, network: Network) -> torch.optim.Optimizer:
        """Return the algorithm, bound to a network."""
        options = {} if self.lr is None else {"lr": self.lr}
        algorithm = algorithms.by_name(self.algorithm)
        check_lr(self.algorithm, algorithm, self.lr)
        return algorithm(network.parameters(), **options)

    def parts(self, X: NDArray[Any], targets: NDArray[Any]) -> tuple[Any, Any]:
        """Return what is trained on, and what is held out if anything is."""
        inputs = torch.from_numpy(np.ascontiguousarray(X))
        outputs = torch.from_numpy(np.ascontiguousarray(targets))
        if self.validation_fraction is None:
            return (inputs, outputs), None
        order = torch.randperm(len(X), generator=torch.Generator().manual_seed(self.seed_))
        held = max(1, round(self.validation_fraction * len(X)))
        validation, train = order[:held], order[held:]
        return (inputs[train], outputs[train]), (inputs[validation], outputs[validation])

    def examples_a_step(self, examples: int, algorithm: torch.optim.Optimizer) -> int:
        """Return the batch size.

        Raises:
            ValueError: When it is neither a whole number nor "auto".
        """
        if self.batch_size == "auto":
            if takes_all(algorithm):
                return examples
            return int(min(256, max(16, examples // 50)))
        if isinstance(self.batch_size, str):
            raise ValueError(f"batch_size must be a number or 'auto', got {self.batch_size!r}.")
        return self.batch_size

    def outputs(self, X: ArrayLike) -> NDArray[Any]:
        """Return what the network gives."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), allow_nd=True)
        return self.network_.predict(X)

    if TYPE_CHECKING:
        loss_name: str

        def checked(
            self, X: ArrayLike, y: ArrayLike, *, first: bool
        ) -> tuple[NDArray[Any], NDArray[Any]]: ...

        def learn_targets(self, y: NDArray[Any]) -> NDArray[Any]: ...

        def with_last_layer(self, network: Network) -> Network: ...

        def weights(self, labels: NDArray[Any]) -> list[float] | None: ...


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network as a scikit-learn classifier.

    ŷ = argmaxₖ softmax(network(x))ₖ, trained to the least cross entropy.

    Shape:
        ``X`` ``(n_samples, n_features)``, or with the axes of pictures and sequences; ``y``
        ``(n_samples,)`` of any labels.

    Args:
        network: Hidden layers such as ``Relu(64) >> Dropout(0.3)``; a full network that ends in
            Softmax or in as many Linear units as there are classes; an expression; or None for
            one hidden layer of 100. `fit` works on a fresh copy with weights drawn anew.
        algorithm: Name of the gradient algorithm, such as ``"adam"``, or
            ``"levenberg_marquardt"`` for small networks; with options as
            ``"LevenbergMarquardt(restarts=64)"``. Those that search along lines or use
            curvature train in double precision.
        lr: Learning rate; None is the algorithm's own.
        epochs: Passes over the data; None is 50, and for algorithms that take all examples in
            every step 500, or 100 where these are costly, unless they come to an end before.
        batch_size: Examples a step; ``"auto"`` takes a fiftieth of the data, from 16 to 256, or
            all where the algorithm wants them.
        schedule: Name of the learning rate's schedule, such as ``"cosine"``, or None.
        validation_fraction: Share of the data held out, on which training stops early and the
            best weights are kept; None trains on all of it for all epochs.
        patience: Epochs without improvement there before training stops.
        class_weight: ``"balanced"``, a weight for each label in a dict, or None.
        device: Where to train; None is the CPU.
        random_state: Makes the result repeatable.
        verbose: Whether to show progress.

    Attributes:
        classes_: The labels.
        network_: The trained `Network`.
        history_: The figures of each epoch.
        n_features_in_: Number of columns seen in `fit`.

    Raises:
        ValueError: When the network does not end in as many outputs as there are classes.

    Reference:
        The interface of ``sklearn.neural_network.MLPClassifier``. Inputs are standardised
        inside, so no scaler is needed in front.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from neuropil import NetworkClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = NetworkClassifier(lr=0.01, random_state=0).fit(X, y)
        >>> model.score(X, y) > 0.95
        True
    """

    loss_name = "cross_entropy"

    def __init__(
        self,
        network: Network | Layer | str | None = None,
        *,
        algorithm: str = "adam",
        lr: float | None = None,
        epochs: int | None = None,
        batch_size: int | str = "auto",
        schedule: str | None = None,
        validation_fraction: float | None = None,
        patience: int = 10,
        class_weight: dict[Any, float] | str | None = None,
        device: str | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            network,
            algorithm=algorithm,
            lr=lr,
            epochs=epochs,
            batch_size=batch_size,
            schedule=schedule,
            validation_fraction=validation_fraction,
            patience=patience,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    @override
    def checked(
        self, X: ArrayLike, y: ArrayLike, *, first: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = validate_data(
            self, X, y, reset=first, dtype=(np.float64, np.float32), allow_nd=True
        )
        check_classification_targets(y)
        return np.asarray(X), column_or_1d(y, warn=True)

    @override
    def learn_targets(self, y: NDArray[Any]) -> NDArray[Any]:
        self.classes_ = unique_labels(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"a classifier needs at least 2 classes, got 1 class: {self.classes_[0]!r}."
            )
        return np.searchsorted(self.classes_, y)

    @override
    def with_last_layer(self, network: Network) -> Network:
        last = network.nodes[-1].layer
        classes = len(self.classes_)
        full = isinstance(last, Softmax) or (
            isinstance(last, Linear) and network.output_shape == (classes,)
        )
        network = network if full else network >> Softmax(classes)
        if network.output_shape != (classes,):
            raise ValueError(
                f"the network ends in {last!r} and y has {classes} classes: end it in "
                f"Softmax({classes}), or leave the last layer out."
            )
        return network

    @override
    def weights(self, labels: NDArray[Any]) -> list[float] | None:
        if self.class_weight is None:
            return None
        present = np.isin(self.classes_, labels)
        weights = np.ones(len(self.classes_))
        weights[present] = compute_class_weight(
            self.class_weight, classes=self.classes_[present], y=labels
        )
        return weights.tolist()

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: Sequence[Any] | None = None
    ) -> Self:
        """Train for one more pass over these examples.

        Args:
            X: Inputs.
            y: Labels.
            classes: All labels there will ever be; needed in the first call only.

        Raises:
            ValueError: When a label is not among the classes.
        """
        first = not hasattr(self, "network_")
        X, y = self.checked(X, y, first=first)
        if first:
            self.learn_targets(np.asarray(y if classes is None else classes))
            self.start(X)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the label {unknown[0]!r}, which is not among the classes "
                f"{self.classes_.tolist()}: name all in the first call, with classes=…"
            )
        self.train(X, np.searchsorted(self.classes_, y), 1, y)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability of each class, in the order of ``classes_``.

        Args:
            X: Inputs.
        """
        outputs = self.outputs(X)
        if isinstance(self.network_.nodes[-1].layer, Softmax):
            return outputs
        return torch.from_numpy(outputs).softmax(1).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each input.

        Args:
            X: Inputs.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]


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
        algorithm: Name of the gradient algorithm, such as ``"adam"``, or
            ``"levenberg_marquardt"`` for small networks; with options as
            ``"LevenbergMarquardt(restarts=64)"``. Those that search along lines or use
            curvature train in double precision.
        lr: Learning rate; None is the algorithm's own.
        epochs: Passes over the data; None is 50, and for algorithms that take all examples in
            every step 500, or 100 where these are costly, unless they come to an end before.
        batch_size: Examples a step; ``"auto"`` takes a fiftieth of the data, from 16 to 256, or
            all where the algorithm wants them.
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

    loss_name = "squared_error"

    @override
    def checked(
        self, X: ArrayLike, y: ArrayLike, *, first: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = validate_data(
            self,
            X,
            y,
            reset=first,
            dtype=(np.float64, np.float32),
            allow_nd=True,
            multi_output=True,
            y_numeric=True,
        )
        return np.asarray(X), np.asarray(y, dtype=np.float64)

    @override
    def learn_targets(self, y: NDArray[Any]) -> NDArray[Any]:
        self.target_mean_ = y.mean(axis=0)
        scale = y.std(axis=0)
        self.target_scale_ = np.where(scale > 1e-12 * np.abs(self.target_mean_), scale, 1.0)
        return self.standardized(y)

    def standardized(self, y: NDArray[Any]) -> NDArray[Any]:
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
                f"Flatten() behind {last!r}."
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
        X, y = self.checked(X, y, first=first)
        if first:
            self.learn_targets(y)
            self.start(X)
        self.train(X, self.standardized(y), 1, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the predicted targets, in their units.

        Args:
            X: Inputs.
        """
        outputs = self.outputs(X)
        if np.ndim(self.target_mean_) == 0:
            outputs = outputs[:, 0]
        return (outputs * self.target_scale_ + self.target_mean_).astype(outputs.dtype)

    @override
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
