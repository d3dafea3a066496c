"""What all classic networks share: checked input, one dtype, drawn numbers."""

from __future__ import annotations

import math
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from neuropil.checks import COUNTABLE, check_options, number, optional, shown, whole
from neuropil.classic.fitted_state import check_learnt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.checks import Rules

Floats = NDArray[np.floating[Any]]
Bits = NDArray[np.int8]

# How scikit-learn writes that there are no targets to check.
NOTHING = "no_validation"
# Characters of an option in an error line.
LONGEST = 80
# Bytes that are taken without asking.
LITTLE = 1 << 28
# Whole numbers in what comes from a file or an expression, and units, at most.
LARGEST, MOST_UNITS = 10_000_000, 1_000_000
# What options of several networks may be: numbers of things that compiled loops count, and what
# is binary.
COUNT = partial(whole, maximum=COUNTABLE)
THRESHOLD = optional(number)
UNITS = ("grid", "n_hidden", "n_units", "n_components", "max_nodes", "prototypes_per_class")


class ClassicNetwork(BaseEstimator):
    """A scikit-learn estimator whose input is checked in one way.

    Float32 stays float32; everything else becomes float64. What was fitted remembers the number
    of columns and their names, and later input must have the same.

    A subclass is a dataclass: it lists each option once, with its default, and scikit-learn
    reads the constructor that follows. It declares in `rules` what each option may be, and in
    `learnt` all that `fit` sets, by the names under which `learnt_values` gives it and
    `take_learnt` takes it back: numbers, truth values and arrays. A network is fitted once it
    has the first of them.
    """

    learnt: ClassVar[dict[str, Any]] = {}
    rules: ClassVar[Rules] = {}
    n_features_in_: int

    def learnt_values(self) -> dict[str, Any]:
        """Return what was learnt: numbers, truth values, arrays, by the names in `learnt`."""
        return {name: getattr(self, name) for name in self.learnt}

    def take_learnt(self, values: Mapping[str, Any], columns: int) -> Self:
        """Become fitted by what `learnt_values` gave, of a network with the same options.

        Args:
            values: What was learnt, by name.
            columns: Columns of the input.

        Raises:
            ValueError: When it is not what a network of this class learns.
        """
        self.check_options()
        check_learnt(type(self).__name__, self.learnt, values, columns)
        self.n_features_in_ = columns
        self.set_learnt(values)
        return self

    def set_learnt(self, values: Mapping[str, Any]) -> None:
        """Set what was learnt, each value of the declared kind and shape.

        Raises:
            ValueError: When the values contradict each other.
        """
        for name, value in values.items():
            setattr(self, name, value)

    def fits(self, *, right: bool) -> None:
        """Refuse what was learnt unless its parts belong together.

        Raises:
            ValueError: When they do not.
        """
        if not right:
            raise ValueError(f"{type(self).__name__}: what was learnt contradicts itself.")

    @property
    def fitted(self) -> bool:
        """Whether there is something learnt, from which `partial_fit` goes on."""
        return hasattr(self, next(iter(self.learnt)))

    def __sklearn_is_fitted__(self) -> bool:
        return self.fitted

    def check_options(self) -> None:
        """Refuse options that cannot be.

        Raises:
            ValueError: When there is one.
        """
        check_options(type(self).__name__, vars(self), self.rules)

    def training_input(
        self, X: Any, y: Any = NOTHING, *, first: bool = True, **checks: Any
    ) -> Any:
        """Return what a model is fitted to, checked: X alone, or X and y.

        Args:
            X: Rows of examples: NumPy, pandas, a list, or a tensor.
            y: Targets, where there are any; None is refused where they are needed.
            first: Whether the columns are new, rather than those of an earlier `partial_fit`.
            checks: For `sklearn.utils.validation.validate_data`.

        Raises:
            ValueError: When a value is missing, infinite, or the shape is wrong.
        """
        self.check_options()
        return self.check_input(X, y, first=first, **checks)

    def input(self, X: Any, **checks: Any) -> Any:
        """Return what a fitted model is asked about, checked.

        Raises:
            NotFittedError: When there is no fitted model.
            ValueError: When an option cannot be, a value is missing or infinite, or columns are
                others than fitted.
        """
        check_is_fitted(self)
        check_options(type(self).__name__, vars(self), self.rules)
        return self.check_input(X, NOTHING, first=False, **checks)

    def check_input(self, X: Any, y: Any, *, first: bool, **checks: Any) -> Any:
        """Return input, checked, in single or double precision."""
        kinds = {"dtype": (np.float64, np.float32)} | checks
        return validate_data(self, X, y, reset=first, **kinds)

    def require_room(self, numbers: float) -> None:
        """Refuse to learn what needs more memory than is free.

        Args:
            numbers: How many numbers of double precision are held at once.

        Raises:
            MemoryError: Naming the network and both sizes.
        """
        if 8.0 * numbers > LITTLE:
            # It stands beside PyTorch, which takes seconds to load.
            from neuropil.core.free_memory import require_memory

            require_memory(8.0 * numbers, shown(self, LONGEST))

    def squarable(self, X: Floats) -> Floats:
        """Return checked rows as they are, once squares of their distances must be finite.

        Args:
            X: Rows.

        Raises:
            ValueError: When a value is too large for its type.
        """
        bound = math.sqrt(float(np.finfo(X.dtype).max) / X.shape[1]) / 4
        largest = max(abs(float(X.min())), abs(float(X.max())))
        if largest > bound:
            raise ValueError(
                f"{type(self).__name__} needs values up to {bound:.0e} in {X.dtype}, whose "
                f"squares are finite; got {largest:.0e}."
            )
        return X

    def bits(self, X: Floats, threshold: float | None) -> Bits:
        """Return 0s and 1s for binary models.

        Args:
            X: Checked input.
            threshold: What is above it is 1; None takes 0 and 1, or −1 and 1, as they are.

        Raises:
            ValueError: When the input must be binary and is not.
        """
        if threshold is not None:
            return np.greater(X, threshold).astype(np.int8)
        bad = (X != 0) & (X != 1) & (X != -1)
        signs, zeros = (X == -1).any(), (X == 0).any()
        if bad.any() or (signs and zeros):
            row, column = np.argwhere(bad if bad.any() else X == 0)[0]
            raise ValueError(
                f"{type(self).__name__}(binarize=None) needs 0 and 1, or -1 and 1, got "
                f"{X[row, column]:g} in row {row}, column {column}; binarize=0.0 takes what is "
                f"above 0 as 1."
            )
        return (X > 0).astype(np.int8)

    def refuse(self, option: str, right: str) -> NoReturn:
        """Say that an option cannot be.

        Args:
            option: Name of the constructor's argument.
            right: What it may be.

        Raises:
            ValueError: Always.
        """
        given = shown(getattr(self, option), LONGEST)
        raise ValueError(f"{type(self).__name__}: `{option}` must be {right}, got {given}.")


def seed(value: Any, what: str) -> Any:
    """Return a `random_state`.

    Raises:
        ValueError: When it is neither a whole number, a generator nor None.
    """
    # Not by `check_random_state`, which would make a generator for each question.
    if isinstance(value, Integral):
        right = value is not True and value is not False and 0 <= int(value) < 2**32
    else:
        right = value is None or value is np.random or isinstance(value, RandomState)
    if not right:
        raise ValueError(
            f"{what} must be None, a whole number from 0 to 2³² − 1, or a RandomState, got "
            f"{shown(value)}."
        )
    return value


def check_sizes(network: ClassicNetwork) -> None:
    """Refuse sizes that nobody means, in what comes from a file or an expression.

    Args:
        network: The network.

    Raises:
        ValueError: Naming the option, its value and the limit.
    """
    for option, value in network.get_params(deep=False).items():
        numbers = value if isinstance(value, list | tuple) else [value]
        sizes = [abs(number) for number in numbers if isinstance(number, int)]
        size, limit = max(sizes, default=0), LARGEST
        if option in UNITS:
            size, limit = math.prod(sizes) if option == "grid" else size, MOST_UNITS
        if option != "random_state" and size > limit:
            network.refuse(option, f"at most {limit:,} here")
