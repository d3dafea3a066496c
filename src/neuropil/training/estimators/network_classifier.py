"""A scikit-learn classifier based on a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from typing_extensions import override

from neuropil.layers import Linear, Sigmoid, Softmax
from neuropil.training.estimators.base import Examples, NetworkEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from neuropil.core import Network


@dataclass(eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """Scikit-learn classifier based on a network.

    ŷ = argmaxₖ softmax(network(x))ₖ, trained with the cross entropy. With several labels per
    example, ŷₖ = 1 if σ(network(x)ₖ) > 1/2, trained with the binary cross entropy.

    Shape:
        ``X`` ``(n_samples, n_features)``, dense or sparse, or with the axes of images and
        sequences; ``y`` ``(n_samples,)`` of any labels, or ``(n_samples, n_labels)`` of zeros
        and ones, where an example may have several labels or none.

    Args:
        network: Hidden layers such as ``Relu(64) >> Dropout(0.3)``; a full network that ends in
            Softmax (Sigmoid for several labels), or in Linear with one unit per class; an
            expression; or None for one hidden layer of 100 units. `fit` trains a copy with new
            random weights.
        loss: Name of the loss; a loss of torch, such as
            ``torch.nn.CrossEntropyLoss(label_smoothing=0.1)``; or a function of outputs and
            targets, which are class numbers in the order of ``classes_``. None is the cross
            entropy.
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
        class_weight: ``"balanced"``, a dict from labels to weights, or None.

    Attributes:
        classes_: The labels; their numbers, if an example may have several.
        network_: The trained `Network`.
        history_: The figures of each epoch.
        n_features_in_: Number of columns seen in `fit`.

    Raises:
        ValueError: If the number of outputs of the network is not the number of classes.

    Reference:
        The interface of ``sklearn.neural_network.MLPClassifier``. The network standardises its
        inputs, so no scaler is needed before it.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from neuropil import NetworkClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = NetworkClassifier(lr=0.01, random_state=0).fit(X, y)
        >>> model.score(X, y) > 0.95
        True
    """

    target_options: ClassVar[dict[str, bool]] = {"multi_output": True}

    class_weight: dict[Any, float] | str | None = field(default=None, kw_only=True)

    @property
    @override
    def default_loss(self) -> str:
        return "binary_cross_entropy" if self.multilabel_ else "cross_entropy"

    @override
    def check_targets(self, y: Any) -> NDArray[Any]:
        check_classification_targets(y)
        if type_of_target(y) == "multilabel-indicator":
            return np.asarray(y.toarray() if issparse(y) else y, dtype=np.int64)
        if np.ndim(y) == 2 and y.shape[1] > 1:
            raise ValueError(
                f"y has the shape {y.shape}: several labels per example are given as one "
                f"column of zeros and ones for each label; for several classes per example, "
                f"use sklearn.multioutput.MultiOutputClassifier."
            )
        return column_or_1d(y, warn=True)

    @override
    def learn_targets(self, examples: Examples, classes: Sequence[Any] | None) -> None:
        y = examples.targets
        self.multilabel_ = y.ndim == 2
        if self.multilabel_:
            self.classes_ = np.arange(y.shape[1])
            return
        self.classes_ = unique_labels(y if classes is None else np.asarray(classes))
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(f"a classifier needs at least 2 classes, got 1 class: {only!r}.")

    @override
    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.multilabel_ or y.ndim == 2:
            return self.check_labels(y)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the label {unknown[0]!r}, which is not among the classes "
                f"{self.classes_.tolist()}: pass all labels in the first call, with classes=…"
            )
        return np.searchsorted(self.classes_, y)

    def check_labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return zeros and ones.

        Raises:
            ValueError: If they are not for the labels of the first call.
        """
        if not self.multilabel_ or y.shape[1:] != self.classes_.shape:
            first = (
                f"{len(self.classes_)} labels each" if self.multilabel_ else "one class each"
            )
            raise ValueError(f"y has the shape {y.shape}, but the first call had {first}.")
        return y

    @override
    def with_last_layer(self, network: Network) -> Network:
        last, classes = network.nodes[-1].layer, len(self.classes_)
        decides = Sigmoid if self.multilabel_ else Softmax
        full = isinstance(last, decides) or (
            isinstance(last, Linear) and network.output_shape == (classes,)
        )
        network = network if full else network >> decides(classes)
        if network.output_shape != (classes,):
            raise ValueError(
                f"the network ends in {last!r}, but y has {classes} classes: end it in "
                f"{decides.__name__}({classes}), or leave the last layer out."
            )
        return network

    @override
    def class_weights(self, examples: Examples) -> list[float] | None:
        if self.class_weight is None:
            return None
        if self.multilabel_:
            raise ValueError(
                "class_weight is for one class per example, but y has several labels for each: "
                "use sample_weight, or one classifier per label."
            )
        labels = examples.targets
        present = np.isin(self.classes_, labels)
        weights = np.ones(len(self.classes_))
        weights[present] = compute_class_weight(
            self.class_weight, classes=self.classes_[present], y=labels
        )
        if self.class_weight == "balanced" and examples.weights is not None:
            places = np.searchsorted(self.classes_, labels)
            totals = np.bincount(places, examples.weights, len(weights))[present]
            weights[present] = totals.mean() / totals
        return weights.tolist()

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: Sequence[Any] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one more pass over these examples.

        Args:
            X: Inputs.
            y: Labels.
            classes: All labels that will ever occur; needed in the first call only.
            sample_weight: The weight of each example, as in `fit`.

        Raises:
            ValueError: If a label is not among the classes.
        """
        return self.train_one_epoch(X, y, sample_weight, classes)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability of each class or label, in the order of ``classes_``.

        Args:
            X: Inputs.
        """
        outputs = self.outputs(X)
        if isinstance(self.network_.nodes[-1].layer, Softmax | Sigmoid):
            return outputs
        scores = torch.from_numpy(outputs)
        return (scores.sigmoid() if self.multilabel_ else scores.softmax(1)).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each input, or zeros and ones for several labels.

        Args:
            X: Inputs.
        """
        probabilities = self.predict_proba(X)
        if self.multilabel_:
            return (probabilities > 0.5).astype(np.int64)
        return self.classes_[probabilities.argmax(axis=1)]

    @override
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
