"""Public architectures by name, with the outputs that a task needs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from neuropil import architectures
from neuropil.core import Layer
from neuropil.layers import Softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network, Shape

# Number of outputs of an architecture without a default, when only its summary is shown.
DEFAULT_OUTPUTS = 10
# The architectures without published facts that have a name on the command line.
PLAIN = ("dense", "small_convolutional")
# The detectors that have a name there, beside those on the features of any architecture.
DETECTORS = ("fast_rcnn", "faster_rcnn", "rcnn")


def architecture_names() -> list[str]:
    """Return the names of all architectures."""
    from neuropil.architectures.published.zoo_table import zoo_table  # which loads them all

    return sorted([*zoo_table(), *PLAIN, *DETECTORS])


def architecture(name: str, shape: Shape | None, answer: Layer | int | None) -> Network:
    """Return a network of `neuropil.architectures`.

    Args:
        name: One of `architecture_names`.
        shape: Shape of one example; None if unknown.
        answer: The last layer, or the number of outputs; None for the default.

    Raises:
        ValueError: If the architecture needs an input shape, or cannot end in this layer.

    Example:
        >>> architecture("resnet20", (3, 32, 32), Softmax(7)).output_shape
        (7,)
    """
    make: Callable[..., Network] = getattr(architectures, name)
    if name not in PLAIN:
        classes = answer.units if isinstance(answer, Softmax) else answer
        if isinstance(classes, Layer):
            raise ValueError(
                f"{name} is a classifier, but the data needs {answer!r} as the last layer."
            )
        # Without data, the published input shape and number of classes.
        asked = {"input_shape": shape, "classes": classes}
        return make(**{key: value for key, value in asked.items() if value is not None})
    given = {"outputs": answer or DEFAULT_OUTPUTS, "input_shape": shape}
    taken = inspect.signature(make).parameters
    options = {key: value for key, value in given.items() if key in taken and value is not None}
    missing = [k for k, p in taken.items() if p.default is p.empty and k not in options]
    if "input_shape" in missing:
        raise ValueError(f"{name} takes any shape: give one with --input, as in 1,28,28.")
    return make(**options)
