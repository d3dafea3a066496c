"""Base class of the scikit-learn estimators."""

from __future__ import annotations

import copy
import warnings
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from neuropil import optim
from neuropil.checks import number, whole
from neuropil.core import Layer, Network
from neuropil.core.composition import as_network
from neuropil.core.moments import describe_unresolved
from neuropil.layers import Flatten, Input, Relu
from neuropil.training.callbacks import BestWeights, EarlyStopping
from neuropil.training.history import History
from neuropil.training.loop.closure_step import check_lr, default_epochs, needs, takes_all
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

HIDDEN = 100
FLOATS = np.float64, np.float32


@dataclass(eq=False, repr=False)
class NetworkEstimator(BaseEstimator):
    """Base class of `NetworkClassifier` and `NetworkRegressor`, which document the options."""

    network: Network | Layer | str | None = None
    _: KW_ONLY
    optimizer: str = "adam"
    lr: float | None = None
    epochs: int | None = None
    batch_size: int | str = "auto"
    schedule: str | None = None
    validation_fraction: float | None = None
    patience: int = 10
    device: str | None = None
    random_state: Any = None
    verbose: bool = False

    loss_name: ClassVar[str]
    # Options of `validate_data` for the targets.
    target_options: ClassVar[dict[str, bool]] = {}

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network.

        Args:
            X: Inputs, one row per example; images and sequences keep their axes.
            y: Targets.
        """
        inputs, targets = self.check_data(X, y, first=True)
        warn_of_rounding(X, inputs)
        self.start(inputs, targets)
        self.train(
            inputs, targets, self.epochs or default_epochs(optim.by_name(self.optimizer))
        )
        return self

    def train_one_epoch(
        self, X: ArrayLike, y: ArrayLike, classes: Sequence[Any] | None = None
    ) -> Self:
        """Continue the training for one epoch, or start it; see `partial_fit`."""
        first = not hasattr(self, "network_")
        inputs, targets = self.check_data(X, y, first=first)
        if first:
            self.start(inputs, targets if classes is None else np.asarray(classes))
        self.train(inputs, targets, 1)
        return self

    def check_data(
        self, X: ArrayLike, y: ArrayLike, *, first: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets as checked arrays."""
        inputs, targets = validate_data(
            self, X, y, reset=first, dtype=FLOATS, allow_nd=True, **self.target_options
        )
        return np.asarray(inputs), self.check_targets(targets)

    def start(self, X: NDArray[Any], y: NDArray[Any]) -> None:
        """Create a network for these inputs and targets, and discard the previous one."""
        self.learn_targets(y)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.network_ = self.build(X.shape[1:])
        self.network_.reset_parameters(torch.Generator().manual_seed(self.seed_))
        self.history_ = History()
        self.algorithm_state_: dict[str, Any] | None = None

    def build(self, shape: tuple[int, ...]) -> Network:
        """Return a new network for inputs of this shape."""
        network = self.network
        if isinstance(network, str):
            network = Network.parse(network)
        elif network is None:
            network = Relu(HIDDEN) if len(shape) == 1 else Flatten() >> Relu(HIDDEN)
        network = as_network(copy.deepcopy(network))
        if network.graph.is_open:
            network = Input(*shape) >> network
        return self.with_last_layer(network)

    def train(self, X: NDArray[Any], y: NDArray[Any], epochs: int) -> None:
        """Train the network for some epochs."""
        targets = self.encode(y)
        network = self.network_.to(self.training_type())
        bound = self.bind(network)
        if self.algorithm_state_ is not None:
            bound.load_state_dict(self.algorithm_state_)
        callbacks = []
        if self.validation_fraction is not None:
            callbacks = [EarlyStopping(self.patience), BestWeights()]
        trainer = Trainer(
            network,
            loss=self.loss_name,
            optimizer=bound,
            schedule=self.schedule,
            callbacks=callbacks,
            class_weight=self.weights(y),
            seed=self.seed_ + len(self.history_),
            device=self.device,
            progress=self.verbose,
        )
        train, validation = self.parts(X, targets)
        history = trainer.fit(
            train,
            validation,
            epochs=epochs,
            batch_size=self.examples_per_step(len(train[0]), bound),
        )
        self.history_ = History([*self.history_, *history])
        self.algorithm_state_ = bound.state_dict()
        network.cpu().to(torch.float32 if X.dtype == np.float32 else torch.float64)

    def training_type(self) -> torch.dtype:
        """Return the type of the network during training; predictions have that of the data.

        Near the minimum, the decreases that a line search or a curvature predicts are below the
        resolution of single precision.
        """
        searches = needs(optim.by_name(self.optimizer)) != "gradient"
        exact = searches and not str(self.device).startswith("mps")
        return torch.float64 if exact else torch.float32

    def bind(self, network: Network) -> torch.optim.Optimizer:
        """Return the optimiser, bound to the parameters of a network."""
        options = {} if self.lr is None else {"lr": self.lr}
        optimizer = optim.by_name(self.optimizer)
        check_lr(self.optimizer, optimizer, self.lr)
        return optimizer(network.parameters(), **options)

    def parts(self, X: NDArray[Any], targets: NDArray[Any]) -> tuple[Any, Any]:
        """Return the training data, and the validation data or None."""
        inputs = torch.from_numpy(np.ascontiguousarray(X))
        outputs = torch.from_numpy(np.ascontiguousarray(targets))
        if self.validation_fraction is None:
            return (inputs, outputs), None
        number(self.validation_fraction, "validation_fraction", "(0, 1)")
        order = torch.randperm(len(X), generator=torch.Generator().manual_seed(self.seed_))
        held = max(1, round(self.validation_fraction * len(X)))
        validation, train = order[:held], order[held:]
        return (inputs[train], outputs[train]), (inputs[validation], outputs[validation])

    def examples_per_step(self, examples: int, optimizer: torch.optim.Optimizer) -> int:
        """Return the batch size.

        Raises:
            ValueError: If it is neither a whole number nor "auto".
        """
        if self.batch_size == "auto":
            if takes_all(optimizer):
                return examples
            return int(min(256, max(16, examples // 50)))
        return whole(self.batch_size, "batch_size, unless 'auto',")

    def outputs(self, X: ArrayLike) -> NDArray[Any]:
        """Return the outputs of the network."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS, allow_nd=True)
        return self.network_.predict(X)

    def weights(self, labels: NDArray[Any]) -> list[float] | None:  # noqa: ARG002 - classifiers'
        """Return one weight per class, or None."""
        return None

    if TYPE_CHECKING:

        def check_targets(self, y: NDArray[Any]) -> NDArray[Any]: ...

        def learn_targets(self, y: NDArray[Any]) -> None: ...

        def encode(self, y: NDArray[Any]) -> NDArray[Any]: ...

        def with_last_layer(self, network: Network) -> Network: ...


def warn_of_rounding(given: ArrayLike, converted: NDArray[Any]) -> None:
    """Warn of different integers that became equal in double precision.

    Args:
        given: The inputs before the conversion.
        converted: The inputs as floating-point numbers; the trainer warns of these itself.
    """
    integers = np.asarray(given)
    if integers.dtype != np.int64 or describe_unresolved(torch.from_numpy(converted)):
        return
    if found := describe_unresolved(torch.from_numpy(integers)):
        warnings.warn(
            f"X: {found}: subtract a constant from such columns, as integers, first.",
            stacklevel=3,
        )
