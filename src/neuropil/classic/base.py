"""Base class of the classic networks: input checks, dtypes and learnt state."""

from __future__ import annotations

import math
import warnings
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from neuropil.checks import COUNTABLE, check_options, number, optional, shown, whole
from neuropil.classic.fitted_state import check_learnt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.checks import Rules

Floats = NDArray[np.floating[Any]]
Bits = NDArray[np.int8]
Indices = NDArray[np.intp]
Integers = NDArray[np.integer[Any]]

# scikit-learn's value of `y` that means: do not check targets.
NOTHING = "no_validation"
# The largest number of characters of an option in an error message.
LONGEST = 80
# Allocations up to this number of bytes are not checked.
LITTLE = 1 << 28
# Limits of whole numbers, and of units, in options from a file or an expression.
LARGEST, MOST_UNITS = 10_000_000, 1_000_000
# The rule of counts in compiled loops.
COUNT = partial(whole, maximum=COUNTABLE)
UNITS = (
    "grid",
    "n_hidden",
    "n_units",
    "n_components",
    "max_nodes",
    "n_clusters",
    "prototypes_per_class",
)


def seed(value: Any, what: str) -> Any:
    """Return a valid `random_state` unchanged.

    Raises:
        ValueError: If it is neither a whole number, a generator nor None.
    """
    # `check_random_state` would create a generator for each check.
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


class ClassicNetwork(BaseEstimator):
    """A scikit-learn estimator with common checks of options, input and learnt state.

    Float32 stays float32; everything else becomes float64. A fitted network stores the number
    of columns and their names, and later input must match them.

    A subclass is a dataclass: it lists each option once, with its default, and scikit-learn
    reads the generated constructor. It adds the rules of its own options to `rules`, which has
    those that several networks share, and declares all that `fit` sets in `learnt`: numbers,
    truth values and arrays, under the names that `learnt_values` returns and `take_learnt`
    accepts. A network is fitted once it has the first of them.
    """

    learnt: ClassVar[dict[str, Any]] = {}
    rules: ClassVar[Rules] = {
        "n_epochs": COUNT,
        "batch_size": COUNT,
        "max_steps": COUNT,
        "binarize": optional(number),
        "random_state": seed,
    }
    n_features_in_: int

    def learnt_values(self) -> dict[str, Any]:
        """Return the learnt numbers, truth values and arrays, by the names in `learnt`."""
        return {name: getattr(self, name) for name in self.learnt}

    def take_learnt(self, values: Mapping[str, Any], columns: int) -> Self:
        """Restore the result of `learnt_values` of a network with the same options.

        Args:
            values: The learnt values, by name.
            columns: The number of columns of the input.

        Raises:
            ValueError: If the values are not those of a network of this class.
        """
        self.check_options()
        check_learnt(type(self).__name__, self.learnt, values, columns)
        self.n_features_in_ = columns
        self.set_learnt(values)
        self.require(consistent=self.consistent())
        return self

    def set_learnt(self, values: Mapping[str, Any]) -> None:
        """Set the learnt values, each of the declared kind and shape.

        Raises:
            ValueError: If they are unusable because they contradict each other.
        """
        for name, value in values.items():
            setattr(self, name, value)

    def consistent(self) -> bool:
        """Tell whether the learnt values are consistent with each other."""
        return True

    def require(self, *, consistent: bool) -> None:
        """Refuse learnt values that are not consistent with each other.

        Raises:
            ValueError: If they are not.
        """
        if not consistent:
            raise ValueError(f"{type(self).__name__}: the learnt values contradict each other.")

    @property
    def fitted(self) -> bool:
        """Whether there are learnt values, from which `partial_fit` continues."""
        return hasattr(self, next(iter(self.learnt)))

    def __sklearn_is_fitted__(self) -> bool:
        return self.fitted

    def check_options(self) -> None:
        """Check the options.

        Raises:
            ValueError: If an option is invalid.
        """
        check_options(type(self).__name__, vars(self), self.rules)

    def plain_options(self, *names: str) -> dict[str, Any]:
        """Return options as Python's own numbers, truth values and strings.

        Args:
            *names: Names of options that have rules.
        """
        return {name: self.rules[name](getattr(self, name), name) for name in names}

    def training_input(
        self, X: Any, y: Any = NOTHING, *, first: bool = True, **checks: Any
    ) -> Any:
        """Return checked training data: X alone, or X and y.

        Args:
            X: Rows of examples: NumPy, pandas, a list, or a tensor.
            y: Targets, if any; None is an error for a network that needs them.
            first: Whether the columns are new, rather than those of an earlier `partial_fit`.
            checks: Options of `sklearn.utils.validation.validate_data`.

        Raises:
            ValueError: If an option is invalid, a value is missing or infinite, or the shape is
                wrong.
        """
        self.check_options()
        return self.check_input(X, y, first=first, **checks)

    def input(self, X: Any, **checks: Any) -> Any:
        """Return checked input of a fitted model.

        Raises:
            NotFittedError: If the model is not fitted.
            ValueError: If an option is invalid, a value is missing or infinite, or the columns
                differ from those of `fit`.
        """
        check_is_fitted(self)
        check_options(type(self).__name__, vars(self), self.rules)
        return self.check_input(X, NOTHING, first=False, **checks)

    def check_input(self, X: Any, y: Any, *, first: bool, **checks: Any) -> Any:
        """Return checked input, in single or double precision."""
        kinds = {"dtype": (np.float64, np.float32)} | checks
        return validate_data(self, X, y, reset=first, **kinds)

    def require_room(self, numbers: float) -> None:
        """Check that learning fits into the free memory.

        Args:
            numbers: The number of float64 values held at once.

        Raises:
            MemoryError: If it does not fit; the message names the network and both sizes.
        """
        if 8.0 * numbers > LITTLE:
            # Its package imports PyTorch, which takes seconds to load.
            from neuropil.core.free_memory import require_memory

            require_memory(8.0 * numbers, shown(self, LONGEST))

    def check_magnitude(self, X: Floats) -> Floats:
        """Return rows unchanged, after checking that squares of their distances are finite.

        Args:
            X: Rows.

        Raises:
            ValueError: If a value is too large for its type.
        """
        # A squared distance is at most D · (2 max|x|)², so max|x| ≤ √(largest / D) / 2 would
        # do; the bound is half of that.
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
            threshold: Values above it are 1; None takes 0 and 1, or −1 and 1, unchanged.

        Raises:
            ValueError: If the input must be binary and is not.
        """
        if threshold is not None:
            return np.greater(X, threshold).astype(np.int8)
        bad = (X != 0) & (X != 1) & (X != -1)
        signs, zeros = (X == -1).any(), (X == 0).any()
        if bad.any() or (signs and zeros):
            row, column = np.argwhere(bad if bad.any() else X == 0)[0]
            raise ValueError(
                f"{type(self).__name__}(binarize=None) needs 0 and 1, or -1 and 1, got "
                f"{X[row, column]:g} in row {row}, column {column}; with binarize=0.0, values "
                f"above 0 count as 1."
            )
        return (X > 0).astype(np.int8)

    def warn(self, problem: str) -> None:
        """Warn that learning or recall has not converged.

        Args:
            problem: What happened, and the remedy.
        """
        message = f"{type(self).__name__}: {problem}"
        warnings.warn(message, ConvergenceWarning, stacklevel=4)

    def refuse(self, option: str, right: str) -> NoReturn:
        """Raise the error for an invalid option.

        Args:
            option: Name of the constructor's argument.
            right: The allowed values, in words.

        Raises:
            ValueError: Always.
        """
        given = shown(getattr(self, option), LONGEST)
        raise ValueError(f"{type(self).__name__}: `{option}` must be {right}, got {given}.")


def check_sizes(network: ClassicNetwork) -> None:
    """Check for implausible sizes in a network from a file or an expression.

    Args:
        network: The network.

    Raises:
        ValueError: If a size is above its limit; the message names the option and both numbers.
    """
    for option, value in network.get_params(deep=False).items():
        numbers = value.values() if isinstance(value, dict) else value
        numbers = numbers if isinstance(value, list | tuple | dict) else [value]
        sizes = [abs(number) for number in numbers if isinstance(number, int)]
        size, limit = max(sizes, default=0), LARGEST
        if option in UNITS:
            size, limit = math.prod(sizes) if option == "grid" else size, MOST_UNITS
        if option != "random_state" and size > limit:
            network.refuse(option, f"at most {limit:,} here")
