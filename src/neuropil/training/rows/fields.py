"""Which parts of a row or a batch are the inputs of a network, and which is the target."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
from torch import Tensor

from neuropil.core import Network
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.target_choice import TARGETS
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from neuropil.core.shape import Shape


class Layout(NamedTuple):
    """The keys of the inputs and of the target in rows or batches.

    Attributes:
        inputs: The keys of each input; several are columns, which are set side by side.
        target: The key of the target, or None if there is none.
    """

    inputs: tuple[tuple[Any, ...], ...]
    target: Any


@final
@dataclass(frozen=True)
class Fields:
    """Finds the inputs and the target among the parts of a row or a batch.

    The last part of a tuple is the target, all others are inputs, or a dict of them. In a dict
    the target is called ``"target"``, ``"label"``, ``"class"``, their plurals, or ``"y"``; the
    inputs are called like those of the network. If only one other entry is left, it is the
    input; and if the network takes a vector with one number for each other entry, these are its
    columns.

    Args:
        names: Names of the network's inputs; empty if they are unknown.
        shapes: Shape of an example of each input, empty if they are unknown.
        title: Purpose of the data, for messages.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    title: str

    @classmethod
    def of(cls, module: nn.Module, title: str) -> Fields:
        """Return the fields of a network: a `Network`, or any module by its arguments."""
        if isinstance(module, Network):
            return cls(module.input_names, module.input_shapes, title)
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        taken = inspect.signature(module.forward).parameters.values()
        needed = (p.name for p in taken if p.kind in kinds and p.default is p.empty)
        return cls(tuple(needed), (), title)

    def layout(self, item: Any) -> Layout:
        """Return where a row or a batch has its inputs and its target.

        Args:
            item: A tuple, a list, a dict, or an array without a target.

        Raises:
            DataError: If the inputs cannot be found.
        """
        item = flat(item)
        if isinstance(item, Mapping):
            return self.layout_of_names(list(item))
        if not isinstance(item, tuple | list):
            return Layout(((None,),), None)
        if not item:
            raise DataError(f"the {self.title} data contains an empty tuple.")
        *places, last = range(len(item))
        if not places:
            places, last = [0], None
        numbers = all(axes(item[place]) == 0 for place in places)
        if len(places) > 1 and numbers and self.takes_columns(len(places)):
            return Layout((tuple(places),), last)
        if len(places) > 1:
            self.check_count(len(places))
        return Layout(tuple((place,) for place in places), last)

    def layout_of_names(self, keys: list[Any]) -> Layout:
        """Return where a dict has its inputs and its target.

        Raises:
            DataError: If the inputs cannot be found.
        """
        found = [key for key in keys if key in TARGETS and key not in self.names]
        if len(found) > 1:
            raise DataError(
                f"the {self.title} data has {some_of(found)}, and each could be the target: "
                "keep one of them."
            )
        if "sample_weight" in keys and "sample_weight" not in self.names:
            raise DataError(
                f"the {self.title} data has an entry 'sample_weight', and a dict cannot hold "
                "weights: give (inputs, targets, weights), or leave it out."
            )
        target = found[0] if found else None
        others = [key for key in keys if key not in found]
        if self.names and all(name in others for name in self.names):
            return Layout(tuple((name,) for name in self.names), target)
        if len(self.names) < 2 and len(others) == 1:
            return Layout((tuple(others),), target)
        if others and self.takes_columns(len(others)):
            return Layout((tuple(others),), target)
        raise DataError(self.explain(others, target))

    def check_count(self, count: int) -> None:
        """Refuse a number of inputs that the network does not take.

        Raises:
            DataError: If the network is known to take another number.
        """
        if self.shapes and count != len(self.shapes):
            raise DataError(
                f"the {self.title} data has {number_of(count, 'input')} besides the target, "
                f"and the network takes {len(self.shapes)}: give one for each `Input`."
            )

    def takes_columns(self, count: int) -> bool:
        """Return whether the network takes one vector of some numbers."""
        return len(self.shapes) == 1 and len(self.shapes[0]) == 1 and self.shapes[0][0] == count

    def explain(self, others: Sequence[Any], target: Any) -> str:
        """Return the message for a dict whose inputs cannot be found."""
        got = some_of(others) if others else "nothing"
        if target is None and others:
            return (
                f"the {self.title} data has the entries {got}, and none of them is called "
                f"{', '.join(TARGETS[:-1])} or {TARGETS[-1]}: name the one to predict so."
            )
        named = some_of(self.names) if self.names else "one input"
        return (
            f"the {self.title} data has {got} besides the target, and the network takes "
            f"{named}: name its inputs after the entries to use, as in "
            f"Input(…, name={str(others[0]) if others else 'image'!r})."
        )

    def is_row(self, item: Any, layout: Layout) -> bool:
        """Return whether an item is a single example and not a batch.

        The number of axes of the first input decides, or else whether the target is a single
        number.

        Args:
            item: The item.
            layout: Where its inputs and its target are.
        """
        item = flat(item)
        first = part(item, layout.inputs[0][0])
        if self.shapes:
            columns = len(layout.inputs[0]) > 1
            return axes(first) + columns <= len(self.shapes[0])
        if layout.target is not None:
            return axes(part(item, layout.target)) == 0
        return False


def flat(item: Any) -> Any:
    """Return ``({"left": …, "right": …}, target)`` as one dict, and all else unchanged."""
    pair = isinstance(item, tuple | list) and len(item) == 2
    if not pair or not isinstance(item[0], Mapping):
        return item
    inputs, target = item
    free = next(name for name in TARGETS if name not in inputs)
    return {**inputs, free: target}


def part(item: Any, key: Any) -> Any:
    """Return a part of a row or a batch; the key None means all of it."""
    return item if key is None else item[key]


def axes(value: Any) -> int:
    """Return the number of axes of an array, a picture, nested lists or a number."""
    if isinstance(value, Tensor | np.ndarray):
        return value.ndim
    if hasattr(value, "getbands"):  # a picture of Pillow
        return 3
    if isinstance(value, list | tuple):
        return 1 + (axes(value[0]) if value else 0)
    return 0
