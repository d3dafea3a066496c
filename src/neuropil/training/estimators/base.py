"""A network as a scikit-learn estimator: what classifier and regressor share."""

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
from neuropil.checks import number
from neuropil.core import Layer, Network
from neuropil.core.composition import as_network
from neuropil.core.moments import describe_unresolved
from neuropil.layers import Flatten, Input, Relu
from neuropil.training.callbacks import BestWeights, EarlyStopping
from neuropil.training.history import History
from neuropil.training.loop.closure_step import check_lr, default_epochs, needs, takes_all
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

HIDDEN = 100


@dataclass(eq=False, repr=False)
class NetworkEstimator(BaseEstimator):
    """What both estimators share: making the network, training it, running it.

    The options are those of `NetworkClassifier` and `NetworkRegressor`, which document them.
    """

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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a fresh network.

        Args:
            X: Inputs, one row an example; pictures and sequences keep their axes.
            y: What to predict.
        """
        given = X
        X, y = self.check_data(X, y, first=True)
        warn_of_rounding(given, X)
        targets = self.learn_targets(y)
        self.start(X)
        made = optim.by_name(self.optimizer)
        self.train(X, targets, self.epochs or default_epochs(made), y)
        return self

    def start(self, X: NDArray[Any]) -> None:
        """Make the network and forget what was learnt."""
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.network_ = self.build(X.shape[1:])
        self.network_.reset_parameters(torch.Generator().manual_seed(self.seed_))
        self.history_ = History()
        self.algorithm_state_: dict[str, Any] | None = None

    def build(self, shape: tuple[int, ...]) -> Network:
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

    def training_type(self) -> torch.dtype:
        """Return the type that networks train in; they predict in that of the data.

        The decrease that a line search or a curvature foretells is soon below what single
        precision shows.
        """
        asked = needs(optim.by_name(self.optimizer))
        exact = asked != "gradient" and not str(self.device).startswith("mps")
        return torch.float64 if exact else torch.float32

    def bind(self, network: Network) -> torch.optim.Optimizer:
        """Return the optimiser, bound to a network."""
        options = {} if self.lr is None else {"lr": self.lr}
        optimizer = optim.by_name(self.optimizer)
        check_lr(self.optimizer, optimizer, self.lr)
        return optimizer(network.parameters(), **options)

    def parts(self, X: NDArray[Any], targets: NDArray[Any]) -> tuple[Any, Any]:
        """Return what is trained on, and what is held out if anything is."""
        inputs = torch.from_numpy(np.ascontiguousarray(X))
        outputs = torch.from_numpy(np.ascontiguousarray(targets))
        if self.validation_fraction is None:
            return (inputs, outputs), None
        number(self.validation_fraction, "validation_fraction", "(0, 1)")
        order = torch.randperm(len(X), generator=torch.Generator().manual_seed(self.seed_))
        held = max(1, round(self.validation_fraction * len(X)))
        validation, train = order[:held], order[held:]
        return (inputs[train], outputs[train]), (inputs[validation], outputs[validation])

    def examples_a_step(self, examples: int, optimizer: torch.optim.Optimizer) -> int:
        """Return the batch size.

        Raises:
            ValueError: When it is neither a whole number nor "auto".
        """
        if self.batch_size == "auto":
            if takes_all(optimizer):
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

        def check_data(
            self, X: ArrayLike, y: ArrayLike, *, first: bool
        ) -> tuple[NDArray[Any], NDArray[Any]]: ...

        def learn_targets(self, y: NDArray[Any]) -> NDArray[Any]: ...

        def with_last_layer(self, network: Network) -> Network: ...

        def weights(self, labels: NDArray[Any]) -> list[float] | None: ...


def warn_of_rounding(given: ArrayLike, converted: NDArray[Any]) -> None:
    """Warn of whole numbers that differ and became one in double precision.

    Args:
        given: The inputs as they were given.
        converted: The same as floating-point numbers, of which the trainer says the rest.
    """
    whole = np.asarray(given)
    if whole.dtype != np.int64 or describe_unresolved(torch.from_numpy(converted)):
        return
    if found := describe_unresolved(torch.from_numpy(whole)):
        warnings.warn(
            f"X: {found}: subtract a fixed number from such columns, as whole numbers, first.",
            stacklevel=3,
        )
