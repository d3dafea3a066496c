"""Classic networks as plain data: numbers and texts for JSON, and arrays.

No name in a file is imported or called: classes come from a fixed table, every value has one of
a few types, and each class checks its own values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil import classic
from neuropil.checks import shown
from neuropil.classic.base import ClassicNetwork, check_sizes
from neuropil.classic.boltzmann.generators import generator_of, words_of
from neuropil.lazy import public_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# The classes that a file may name.
KINDS = tuple(public_names(classic))
# The maximum depth of nested lists.
DEEPEST = 8
LARGEST = 2**64


@dataclass
class Writer:
    """Converts values to plain data, and collects their arrays.

    Attributes:
        arrays: The arrays, by the name that refers to them in plain data.
    """

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def network(self, network: ClassicNetwork, place: str) -> dict[str, Any]:
        """Return a network, fitted or not, as plain data.

        Args:
            network: The network.
            place: Prefix of the names of its arrays.

        Raises:
            ValueError: If an option or a label is of a type that cannot be saved.
        """
        kind = type(network).__name__
        if kind not in KINDS or getattr(classic, kind) is not type(network):
            raise ValueError(f"{kind} is not a network of this library and cannot be saved.")
        check_sizes(network)
        options = network.get_params(deep=False)
        plain: dict[str, Any] = {
            "type": kind,
            "options": self.mapping(options, f"{place}.options"),
        }
        if hasattr(network, "n_features_in_"):
            learnt = self.mapping(network.learnt_values(), f"{place}.learnt")
            plain |= {"columns": network.n_features_in_, "learnt": learnt}
        return plain

    def mapping(self, values: dict[str, Any], place: str) -> dict[str, Any]:
        """Return named values as plain data."""
        return {name: self.plain(value, f"{place}.{name}") for name, value in values.items()}

    def plain(self, value: Any, place: str) -> Any:
        """Return a value as plain data.

        Args:
            value: The value.
            place: Name of its array, if it is one.

        Raises:
            ValueError: If it is of a type that cannot be saved.
        """
        match value:
            case np.generic():
                found = self.plain(value.item(), place)
            case float() if not math.isfinite(value):
                found = {"number": str(value)}
            case None | bool() | int() | float() | str():
                found = value
            case tuple() | list():
                items = [self.plain(item, f"{place}.{k}") for k, item in enumerate(value)]
                found = {type(value).__name__: items}
            case dict():
                found = {"pairs": [list(map(self.key, pair)) for pair in value.items()]}
            case ClassicNetwork():
                found = {"network": self.network(value, place)}
            case _:
                found = self.array(value, place)
        return found

    def key(self, value: Any) -> Any:
        """Return a key or a value of a dict, which may only hold numbers and texts.

        Raises:
            ValueError: If it is something else.
        """
        value = value.item() if isinstance(value, np.generic) else value
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{shown(value)} in a dict cannot be saved.")
        return value

    def array(self, value: Any, place: str) -> dict[str, Any]:
        """Return an array, or the state of a generator, as plain data.

        Raises:
            ValueError: If it is neither.
        """
        if isinstance(value, np.random.RandomState):
            _, keys, *rest = value.get_state()
            return {"RandomState": [self.array(keys, place), *rest]}
        if isinstance(value, np.random.Generator):
            return {"Generator": self.array(words_of(value), place)}
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            kind = getattr(value, "dtype", type(value).__name__)
            raise ValueError(f"{place} is of type {kind}, which cannot be saved.")
        # Keep the memory order of the axes: it decides how sums are rounded.
        turned = value.flags.f_contiguous and not value.flags.c_contiguous
        self.arrays[place] = np.array(value.T if turned else value, order="C")
        return {"turned" if turned else "array": place}


@dataclass
class Reader:
    """Converts plain data back to values; data that `Writer` would not write are refused.

    Attributes:
        arrays: The arrays by name; each is removed when it is used.
    """

    arrays: dict[str, NDArray[Any]]

    def network(self, plain: Any) -> ClassicNetwork:
        """Return a network, fitted if it was saved fitted.

        Raises:
            ValueError: If the data do not describe a network.
        """
        kind = plain.get("type") if isinstance(plain, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"{shown(kind)} is not a classic network")
        maker: type[ClassicNetwork] = getattr(classic, kind)
        options = self.mapping(plain.get("options"))
        if set(options) != set(maker().get_params(deep=False)):
            raise ValueError(f"these are not the options of {kind}")
        network = maker(**options)
        network.check_options()
        check_sizes(network)
        if "learnt" in plain:
            columns = plain.get("columns")
            if type(columns) is not int or columns < 1:
                raise ValueError(f"{shown(columns)} is not a number of columns")
            network.take_learnt(self.mapping(plain["learnt"]), columns)
        return network

    def mapping(self, plain: Any) -> dict[str, Any]:
        """Return named values.

        Raises:
            ValueError: If the data do not describe named values.
        """
        if not isinstance(plain, dict):
            raise ValueError(f"{shown(plain)} is not a list of named values")
        return {name: self.value(item) for name, item in plain.items()}

    def value(self, plain: Any, depth: int = 0) -> Any:
        """Return one value.

        Args:
            plain: Plain data.
            depth: Number of lists around it.

        Raises:
            ValueError: If the data do not describe a value.
        """
        if plain is None or isinstance(plain, bool | str):
            return plain
        if isinstance(plain, int | float):
            if not math.isfinite(plain) or abs(plain) >= LARGEST:
                raise ValueError(f"{shown(plain)} is too large")
            return plain
        makers: dict[str, Callable[[Any], Any]] = {
            "number": number,
            "tuple": lambda items: tuple(self.items(items, depth)),
            "list": lambda items: self.items(items, depth),
            "network": self.network,
            "array": self.array,
            "turned": lambda place: self.array(place).T,
            "pairs": pairs,
            "Generator": lambda words: generator_of(self.words(words, "uint64", 6)),
            "RandomState": self.random_state,
        }
        tag = next(iter(plain)) if isinstance(plain, dict) and len(plain) == 1 else None
        if tag not in makers or depth > DEEPEST:
            raise ValueError(f"{shown(plain)} is not a value that a network has")
        return makers[tag](plain[tag])

    def items(self, plain: Any, depth: int) -> list[Any]:
        """Return the values of a list.

        Raises:
            ValueError: If the data are not a list.
        """
        if not isinstance(plain, list):
            raise ValueError(f"{shown(plain)} is not a list")
        return [self.value(item, depth + 1) for item in plain]

    def array(self, place: Any) -> NDArray[Any]:
        """Return the array with a name, which may be used only once.

        Raises:
            ValueError: If the file lacks such an array.
        """
        if not isinstance(place, str) or place not in self.arrays:
            raise ValueError(f"there is no array {shown(place)}")
        return self.arrays.pop(place)

    def words(self, plain: Any, dtype: str, count: int) -> NDArray[Any]:
        """Return the state of a generator.

        Raises:
            ValueError: If the data are not such a state.
        """
        found = self.value(plain)
        right = isinstance(found, np.ndarray) and found.shape == (count,)
        if not right or found.dtype.name != dtype:
            raise ValueError(f"{shown(plain)} is not the state of a generator")
        return found

    def random_state(self, plain: Any) -> np.random.RandomState:
        """Return a `numpy.random.RandomState`.

        Raises:
            ValueError: If the data are not its state.
        """
        match plain:
            case [keys, int() as place, 0 | 1 as has, float() as last]:
                state = self.words(keys, "uint32", 624), place, has, last
            case _:
                raise ValueError(f"{shown(plain)} is not the state of a generator")
        if not 0 <= place <= len(state[0]) or not math.isfinite(last):
            raise ValueError("the state of the generator is impossible")
        found = np.random.RandomState(0)
        found.set_state(("MT19937", *state))
        return found


def number(text: Any) -> float:
    """Return a number that JSON cannot represent.

    Raises:
        ValueError: If the text is not such a number.
    """
    if text not in ("inf", "-inf", "nan"):
        raise ValueError(f"{shown(text)} is not a number")
    return float(text)


def pairs(plain: Any) -> dict[Any, Any]:
    """Return a dict from numbers or texts to numbers.

    Raises:
        ValueError: If the data are not such pairs.
    """
    found: dict[Any, Any] = {}
    for pair in plain if isinstance(plain, list) else [None]:
        match pair:
            case [bool() | int() | float() | str() as key, int() | float() as value]:
                found[key] = value
            case _:
                raise ValueError(f"{shown(plain)} are not pairs")
    return found
