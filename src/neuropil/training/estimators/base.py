"""Base class of the scikit-learn estimators."""

from __future__ import annotations

import copy
import warnings
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from neuropil import optim
from neuropil.checks import number, whole
from neuropil.core import Layer, Network
from neuropil.core.composition import as_network
from neuropil.core.moments import describe_unresolved
from neuropil.layers import Flatten, Input, Relu
from neuropil.training.callbacks import BestWeights, EarlyStopping
from neuropil.training.estimators.sparse_rows import SparseRows, dense_parts
from neuropil.training.history import History
from neuropil.training.loop.closure_step import check_lr, default_epochs, needs, takes_all
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

HIDDEN = 100
# Options of `validate_data` for the inputs.
INPUT_OPTIONS: dict[str, Any] = {
    "dtype": (np.float64, np.float32),
    "allow_nd": True,
    "accept_sparse": "csr",
}


class Examples(NamedTuple):
    """Checked examples; inputs may be a sparse matrix, weights are None if all are equal."""

    inputs: Any
    targets: NDArray[Any]
    weights: NDArray[Any] | None = None

    def take(self, places: NDArray[Any]) -> Examples:
        """Return some of the examples."""
        weights = None if self.weights is None else self.weights[places]
        return Examples(self.inputs[places], self.targets[places], weights)


@dataclass(eq=False, repr=False)
class NetworkEstimator(BaseEstimator):
    """Base class of `NetworkClassifier` and `NetworkRegressor`, which document the options."""

    network: Network | Layer | str | None = None
    _: KW_ONLY
    loss: str | Callable[..., Any] | None = None
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

    # Options of `validate_data` for the targets.
    target_options: ClassVar[dict[str, bool]] = {}

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train a new network.

        Args:
            X: Inputs, one row per example; images and sequences keep their axes. A sparse
                matrix becomes dense batch by batch.
            y: Targets.
            sample_weight: The weight of each example in the loss: 2 counts as two equal
                examples, 0 as none. The mean is scaled to 1.
        """
        examples = self.check_examples(X, y, sample_weight, first=True)
        warn_of_rounding(X, examples.inputs)
        self.start(examples)
        self.train(examples, self.epochs or default_epochs(optim.by_name(self.optimizer)))
        return self

    def train_one_epoch(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        classes: Sequence[Any] | None = None,
    ) -> Self:
        """Continue the training for one epoch, or start it; see `partial_fit`."""
        first = not hasattr(self, "network_")
        examples = self.check_examples(X, y, sample_weight, first=first)
        if first:
            self.start(examples, classes)
        self.train(examples, 1)
        return self

    def check_examples(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, first: bool
    ) -> Examples:
        """Return checked examples, without those of weight 0."""
        inputs, targets = validate_data(
            self, X, y, reset=first, **INPUT_OPTIONS, **self.target_options
        )
        targets = self.check_targets(targets)
        if sample_weight is None:
            return Examples(inputs, targets)
        weights = check_weights(sample_weight, len(targets))
        used = weights > 0
        return Examples(inputs[used], targets[used], weights[used])

    def start(self, examples: Examples, classes: Sequence[Any] | None = None) -> None:
        """Create a network for these examples, and discard the previous one."""
        self.learn_targets(examples, classes)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.network_ = self.build(examples.inputs.shape[1:])
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

    def train(self, examples: Examples, epochs: int) -> None:
        """Train the network for some epochs."""
        network = self.network_.to(self.training_type())
        bound = self.bind(network)
        if self.algorithm_state_ is not None:
            bound.load_state_dict(self.algorithm_state_)
        callbacks = []
        if self.validation_fraction is not None:
            callbacks = [EarlyStopping(self.patience), BestWeights()]
        trainer = Trainer(
            network,
            loss=self.default_loss if self.loss is None else self.loss,
            optimizer=bound,
            schedule=self.schedule,
            callbacks=callbacks,
            class_weight=self.class_weights(examples),
            seed=self.seed_ + len(self.history_),
            device=self.device,
            workers=0,
            progress=self.verbose,
        )
        train, validation, count = self.parts(examples)
        history = trainer.fit(
            train, validation, epochs=epochs, batch_size=self.examples_per_step(count, bound)
        )
        self.history_ = History([*self.history_, *history])
        self.algorithm_state_ = bound.state_dict()
        single = examples.inputs.dtype == np.float32
        network.cpu().to(torch.float32 if single else torch.float64)

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

    def parts(self, examples: Examples) -> tuple[Any, Any, int]:
        """Return training data, validation data or None, and the number of training examples.

        Raises:
            ValueError: If the fraction for validation is not between 0 and 1.
        """
        count = len(examples.targets)
        if self.validation_fraction is None:
            return self.as_data(examples), None, count
        number(self.validation_fraction, "validation_fraction", "(0, 1)")
        generator = torch.Generator().manual_seed(self.seed_)
        order = torch.randperm(count, generator=generator).numpy()
        held = max(1, round(self.validation_fraction * count))
        train, validation = examples.take(order[held:]), examples.take(order[:held])
        return self.as_data(train), self.as_data(validation), count - held

    def as_data(self, examples: Examples) -> Any:
        """Return examples as data for the trainer."""
        inputs, targets, weights = examples._replace(targets=self.encode(examples.targets))
        if issparse(inputs):
            weights = None if weights is None else torch.tensor(weights)
            return SparseRows(inputs, torch.tensor(targets), weights)
        return (inputs, targets) if weights is None else (inputs, targets, weights)

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
        X = validate_data(self, X, reset=False, **INPUT_OPTIONS)
        return np.concatenate([self.network_.predict(part) for part in dense_parts(X)])

    def class_weights(self, examples: Examples) -> list[float] | None:  # noqa: ARG002 - classifiers'
        """Return one weight per class, or None."""
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    if TYPE_CHECKING:

        @property
        def default_loss(self) -> str: ...

        def check_targets(self, y: Any) -> NDArray[Any]: ...

        def learn_targets(self, examples: Examples, classes: Sequence[Any] | None) -> None: ...

        def encode(self, y: NDArray[Any]) -> NDArray[Any]: ...

        def with_last_layer(self, network: Network) -> Network: ...


def check_weights(given: ArrayLike, count: int) -> NDArray[Any]:
    """Return the weights of the examples as an array.

    Raises:
        ValueError: If there is not one weight per example, or a weight is negative or not
            finite, or all are zero.
    """
    weights = check_array(
        given, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (count,):
        raise ValueError(
            f"sample_weight needs one number per example, shape ({count},), got an array of "
            f"shape {weights.shape}."
        )
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            "sample_weight must not be negative, and not zero for all examples: at least one "
            "example needs a weight above 0."
        )
    return weights


def warn_of_rounding(given: ArrayLike, converted: NDArray[Any]) -> None:
    """Warn of different integers that became equal in double precision.

    Args:
        given: The inputs before the conversion.
        converted: The inputs as floating-point numbers; the trainer warns of these itself.
    """
    if issparse(given):
        return
    integers = np.asarray(given)
    if integers.dtype != np.int64 or describe_unresolved(torch.from_numpy(converted)):
        return
    if found := describe_unresolved(torch.from_numpy(integers)):
        warnings.warn(
            f"X: {found}: subtract a constant from such columns, as integers, first.",
            stacklevel=3,
        )
