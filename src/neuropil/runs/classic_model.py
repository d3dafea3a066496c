"""Adapter that lets a classic estimator be used where a Network is expected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.moments import standardization
from neuropil.runs.classic_answers import (
    ClassAnswers,
    NumberAnswers,
    Role,
    group_table,
    role_of,
)
from neuropil.runs.classic_file import check_arrays, read_model, write_model
from neuropil.runs.readout import Readout

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from neuropil.classic.base import ClassicNetwork

# Before the names of a linear model's arrays.
READOUT = "readout."


@final
class ClassicModel:
    """A classic network that takes raw examples and answers as other networks do.

    Classifiers and regressors answer themselves. A network that puts examples into groups, such
    as a map or adaptive resonance, answers with the classes' shares, or the mean target, among
    the training examples of the group. One that only transforms, such as a Boltzmann machine,
    has a linear model after it, fitted to what it makes of the training examples.

    Args:
        estimator: The classic network, with its options; it is copied, not fitted.
        classes: How many classes there are; None for regression.
        limits: The values of black and white, which become 0 and 1, for pictures; others are
            standardised.

    Raises:
        ValueError: When the network answers another kind of question.

    Example:
        >>> from neuropil.classic import GRNN
        >>> x = torch.linspace(0, 1, 50).reshape(-1, 1)
        >>> model = ClassicModel(GRNN()).fit(x, x.squeeze() ** 2)
        >>> bool((model.predict(x) - x**2).abs().max() < 0.05)
        True
    """

    def __init__(
        self,
        estimator: ClassicNetwork,
        classes: int | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        from sklearn.base import clone

        self.estimator = clone(estimator)
        self.classes = classes
        self.answers = ClassAnswers(classes) if classes else NumberAnswers()
        self.limits = limits
        self.role: Role = role_of(self.estimator, self.answers)
        self.center: NDArray[Any] | float = 0.0
        self.scale: NDArray[Any] | float = 1.0
        self.table: NDArray[Any] | None = None
        self.readout: Readout | None = None

    def fit(self, inputs: Tensor, targets: Tensor) -> Self:
        """Fit the network, and what turns its answer into classes or values.

        Args:
            inputs: Raw examples, in the first axis.
            targets: Class numbers, or standardised values.
        """
        if self.limits is not None:
            self.settle_limits()
        else:
            mean, scale = standardization(inputs.flatten(1), [0])
            self.center, self.scale = mean[0].numpy(), scale[0].numpy()
        rows = self.rows(inputs)
        y = targets.numpy()
        y = y.squeeze(1) if y.ndim == 2 and y.shape[1] == 1 else y
        if self.role in ("classifier", "regressor"):
            self.estimator.fit(rows, y)
            return self
        self.estimator.fit(rows)
        if self.role == "groups":
            self.table = group_table(self.estimator.predict(rows), self.answers.rows(y))
        else:
            features = self.estimator.transform(rows)
            self.readout = Readout.fitted(self.answers.readout(), features, y)
        return self

    def settle_limits(self) -> None:
        """Take black for 0 and white for 1."""
        low, high = self.limits or (0.0, 1.0)
        self.center, self.scale = low, high - low or 1.0

    def predict(self, inputs: Tensor) -> Tensor:
        """Return each class's probability ``(N, K)``, or standardised values ``(N, k)``.

        Args:
            inputs: Raw examples, in the first axis.
        """
        rows = self.rows(inputs)
        if self.role == "groups" and self.table is not None:
            # The last row is for what falls into no group that training examples fell into.
            groups = self.estimator.predict(rows)
            known = (groups >= 0) & (groups < len(self.table) - 1)
            return torch.from_numpy(self.table[np.where(known, groups, -1)])
        model: Any = self.estimator
        given = rows
        if self.role == "features":
            model, given = self.readout, self.estimator.transform(rows)
        return torch.from_numpy(self.answers.of(model, given))

    @override
    def __repr__(self) -> str:
        return " ".join(repr(self.estimator).split())

    def scores(self) -> Scores:
        """Return what gives the logarithms of the probabilities, which losses take."""
        return Scores(self)

    def rows(self, inputs: Tensor) -> NDArray[Any]:
        """Return examples as the network takes them.

        Raises:
            ValueError: When they are beyond all numbers in the units of the training examples.
        """
        raw = inputs.flatten(1).double().numpy()
        with np.errstate(over="ignore"):
            rows = (raw - self.center) / self.scale
        if not np.isfinite(rows).all() and np.isfinite(raw).all():
            raise ValueError(
                f"{self!r}: these examples are too far from its training examples to be scaled."
            )
        return rows

    def cpu(self) -> Self:
        """Return itself: it never leaves the processor."""
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Write ``model.json`` and ``model.safetensors`` into a folder: plain data alone.

        Args:
            path: The folder; it is made where there is none.

        Raises:
            ValueError: When an option is of a type that no file holds.
        """
        limits = None if self.limits is None else list(map(float, self.limits))
        arrays = {"table": self.table}
        if self.limits is None and isinstance(self.center, np.ndarray):
            arrays |= {"center": self.center, "scale": self.scale}
        if self.readout is not None:
            arrays |= {f"{READOUT}{name}": value for name, value in vars(self.readout).items()}
        known = {name: value for name, value in arrays.items() if value is not None}
        options = {"classes": self.classes, "limits": limits}
        write_model(Path(path), self.estimator, options, known)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote; nothing in it is executed or imported.

        Args:
            path: The folder.

        Raises:
            FileNotFoundError: When there is no such file.
            ValueError: When a file is damaged or does not belong to the other.
        """
        return read_model(Path(path), cls.built)

    @classmethod
    def built(
        cls,
        estimator: ClassicNetwork,
        classes: int | None,
        limits: tuple[float, float] | None,
        arrays: dict[str, Any],
    ) -> Self:
        """Return the model of a fitted network.

        Args:
            estimator: The classic network as it was fitted; it is not copied.
            classes: How many classes there are; None for regression.
            limits: The values of black and white, for pictures.
            arrays: What the model knows beside it.

        Raises:
            ValueError: When they do not fit each other.
        """
        model = cls(estimator, classes, limits)
        model.estimator = estimator
        check_arrays(arrays, model.array_shapes())
        known = arrays.get(f"{READOUT}classes_")
        if model.role == "classifier":
            known = getattr(estimator, "classes_", None)
        model.answers.check(known, arrays.get("table"), arrays.get(f"{READOUT}weights"))
        if limits is not None:
            model.settle_limits()
        elif "center" in arrays:
            model.center, model.scale = arrays["center"], arrays["scale"]
        model.table = arrays.get("table")
        parts = {k.removeprefix(READOUT): v for k, v in arrays.items() if k.startswith(READOUT)}
        parts.setdefault("classes_", None)
        model.readout = Readout(**parts) if "weights" in parts else None
        return model

    def array_shapes(self) -> dict[str, tuple[Any, ...]]:
        """Return the shape of each array that a model with this network has, fitted or not."""
        columns = getattr(self.estimator, "n_features_in_", None)
        if columns is None:
            return {}
        shapes: dict[str, tuple[Any, ...]] = {}
        if self.limits is None:
            shapes |= {"center": (columns,), "scale": (columns,)}
        if self.role == "groups":
            shapes |= {"table": ("groups", "outputs")}
        if self.role == "features":
            features = len(self.estimator.get_feature_names_out())
            shapes |= {
                f"{READOUT}mean": (features,),
                f"{READOUT}scale": (features,),
                f"{READOUT}weights": ("outputs", features),
                f"{READOUT}intercept": ("outputs",),
            }
            shapes |= {f"{READOUT}{k}": v for k, v in self.answers.readout_arrays.items()}
        return shapes


@final
class Scores:
    """The logarithms of a model's probabilities; values as they are.

    Args:
        model: The model.
    """

    def __init__(self, model: ClassicModel) -> None:
        self.model = model

    def predict(self, inputs: Tensor) -> Tensor:
        """Return scores for raw examples.

        Args:
            inputs: Raw examples.
        """
        return self.model.answers.scores(self.model.predict(inputs))
