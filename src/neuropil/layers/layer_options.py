"""Options shared by several families of layers: initialisers, biases, known lengths."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeAlias

from neuropil.checks import flag, number, shown
from neuropil.core.arguments import is_array, is_default, plain, signature
from neuropil.core.layer import Composable
from neuropil.core.shape import count
from neuropil.init import Constant, HeNormal, Initializer, Orthogonal
from neuropil.init.fan_scaled import FanScaled
from neuropil.init.given_values import GivenValues

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from neuropil.core import Layer, Shape
    from neuropil.core.layer import Initializer as Filler

# Initial values: an initialiser, one number for all of them, or an array (a tensor is one).
Weight: TypeAlias = "Filler | float | np.ndarray | Tensor"
# Whether there is a bias; or its initial values.
Bias: TypeAlias = "bool | Weight"

# The rule of He et al. for layers before a rectifier, good enough for its variants.
HE = HeNormal()
# LeCun's rule, 1/fan_in, for layers without a rectifier after them.
LECUN = HeNormal(gain=1)


def initializer(value: Weight, what: str) -> Filler:
    """Return the initialiser for initial values given in one of the forms of `Weight`.

    Raises:
        ValueError: When it is none of these. A class without () is not an initialiser.
    """
    if isinstance(value, Initializer):
        return value
    value = plain(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Constant(number(value, what))
    if is_array(value):
        return GivenValues(value, what)
    if callable(value) and not isinstance(value, type) and is_initializer(value):
        return value
    raise ValueError(
        f"{what} must be an initialiser, such as HeNormal(), a finite number or an array, got "
        f"{shown(value)}."
    )


def is_initializer(value: object) -> bool:
    """Return whether a value can be called with the arguments of an initialiser."""
    try:
        inspect.signature(value).bind(None, None, fans=None)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        return False
    return True


def composable(value: Composable, what: str) -> Composable:
    """Return a value that must be a layer or network.

    Raises:
        ValueError: When it is neither.
    """
    if not isinstance(value, Composable):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may err
        raise ValueError(f"{what} must be a layer or a network, got {shown(value)}.")
    return value


def set_bias(layer: Layer, bias: Bias, *names: str) -> bool:
    """Set whether a layer has biases, and their initial value; return whether it has.

    Args:
        layer: The layer.
        bias: True to start at zero, False for no bias, or its initial values.
        *names: Names of the bias parameters.

    Raises:
        ValueError: When `bias` is none of these.
    """
    what = f"{type(layer).__name__}: bias"
    start, has_bias = None, True
    bias = plain(bias)
    if callable(bias) or is_array(bias):
        start = initializer(bias, what)
        if isinstance(bias, FanScaled | Orthogonal):
            raise ValueError(
                f"{what} must have an initialiser for vectors, such as Constant(1.0) or "
                f"Normal(), got {bias!r}, which needs a matrix."
            )
    else:
        try:
            has_bias = flag(bias, what)
        except ValueError:
            start = Constant(bias_value(bias, what))
    for name in names:
        if not has_bias:
            layer._parameters[name] = None  # pyright: ignore[reportPrivateUsage]  # as torch does
        elif start is not None:
            layer.initializers[name] = start
    return has_bias


def bias_value(value: object, what: str) -> float:
    """Return the initial value of a bias.

    Raises:
        ValueError: When it is not a finite number.
    """
    try:
        return number(value, what)
    except ValueError:
        raise ValueError(
            f"{what} must be True, False, a finite number, an array or an initialiser, such "
            f"as Constant(1.0), got {shown(value)}."
        ) from None


def refuse_unused(layer: Layer, needs: str, **options: object) -> None:
    """Raise an error for options that were given but would have no effect.

    Args:
        layer: The layer.
        needs: The option without which they have no effect, as it would be written.
        **options: Their values by name; defaults are allowed.

    Raises:
        ValueError: When one of them is not the default.
    """
    known = signature(type(layer)).parameters
    for name, given in options.items():
        value = plain(given)
        if name in known and not is_default(value, known[name].default):
            raise ValueError(
                f"{type(layer).__name__}: {name} has no effect without {needs}, got "
                f"{shown(value)}: give both or neither."
            )


def known_count(layer: Layer, shape: Shape) -> int:
    """Return the number of elements of a shape, which a cost needs.

    Raises:
        ShapeError: When a length is free.
    """
    elements = count(shape)
    if elements is None:
        fix = "give the free lengths"
        raise layer.refuse("known lengths to count multiply–adds", shape, fix)
    return elements
