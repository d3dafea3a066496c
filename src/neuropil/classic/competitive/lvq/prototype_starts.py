"""Number of prototypes of each class, and prototypes that are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from neuropil.checks import one_of, shown
from neuropil.classic.base import COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats

INITS = ("kmeans", "sample")


def check_counts(value: Any, what: str) -> Any:
    """Return a number of prototypes, or one for each class as a dict or a list.

    Raises:
        ValueError: If it is none of these, or a number is below 1.
    """
    if not isinstance(value, Mapping | Sequence) or isinstance(value, str | bytes):
        return COUNT(value, what)
    for number in value.values() if isinstance(value, Mapping) else value:
        COUNT(number, what)
    return value


def check_init(value: Any, what: str) -> Any:
    """Return the name of a start, or the prototypes that are given.

    Raises:
        ValueError: If it is neither a known name nor finite numbers in rows.
    """
    if value is None or isinstance(value, str):
        return one_of(value, what, INITS)
    try:
        prototypes = np.asarray(value, float)
        right = prototypes.ndim == 2 and len(prototypes) and np.isfinite(prototypes).all()
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(
            f"{what} must be 'kmeans', 'sample', or an array of finite numbers, (prototypes, "
            f"features), got {shown(value)}."
        )
    return value


def counts_by_class(value: Any, classes: NDArray[Any], owner: str) -> list[int]:
    """Return the number of prototypes of each class, in the order of the sorted classes.

    Args:
        value: One number for all; or a dict by class, or a list in that order.
        classes: The classes, sorted.
        owner: Name of the network, for error messages.

    Raises:
        ValueError: If a class has no number, or a number has no class.
    """

    def refuse(needs: str) -> NoReturn:
        raise ValueError(
            f"{owner}: `prototypes_per_class` must have a number for {needs}, got "
            f"{shown(value)}; the classes are {', '.join(map(str, classes[:10]))}."
        )

    if isinstance(value, Mapping):
        known = classes.tolist()
        if {*value} != {*known}:
            refuse("each class and for no other")
        return [value[name] for name in known]
    if isinstance(value, Sequence):
        if len(value) != len(classes):
            refuse(f"each of the {len(classes)} classes")
        return [*value]
    return [value] * len(classes)


def given_prototypes(
    value: Any, numbers: list[int], like: Floats, owner: str
) -> list[Floats] | None:
    """Return the given prototypes of each class, or None if they start by a rule.

    Args:
        value: The name of a rule, or all prototypes, class by class.
        numbers: The number of prototypes of each class.
        like: Rows of the input.
        owner: Name of the network, for error messages.

    Raises:
        ValueError: If their number or their columns do not fit.
    """
    if isinstance(value, str):
        return None
    prototypes = np.array(value, dtype=like.dtype, order="C")
    wanted = (sum(numbers), like.shape[1])
    if prototypes.shape != wanted:
        raise ValueError(
            f"{owner}: `init` has the shape {prototypes.shape}, and must have {wanted}: "
            f"`prototypes_per_class` rows for each class in the order of the sorted classes, "
            f"and a column for each feature."
        )
    return np.split(prototypes, np.cumsum(numbers)[:-1])
