"""Generators as arrays, so that what was fitted goes on drawing where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = 2**64


def words_of(generator: np.random.Generator) -> NDArray[np.uint64]:
    """Return the state of a generator, six words.

    Args:
        generator: As `numpy.random.default_rng` makes it.

    Raises:
        ValueError: When it is of another kind.
    """
    found: Any = generator.bit_generator.state
    if found["bit_generator"] != "PCG64":
        raise ValueError(
            f"a generator of {found['bit_generator']} cannot be saved: use "
            f"numpy.random.default_rng, which is of PCG64."
        )
    halves = [divmod(found["state"][name], WORD) for name in ("state", "inc")]
    rest = found["has_uint32"], found["uinteger"]
    return np.array([*halves[0], *halves[1], *rest], np.uint64)


def generator_of(words: NDArray[np.uint64]) -> np.random.Generator:
    """Return the generator whose state `words_of` gave.

    Args:
        words: Its state.

    Raises:
        ValueError: When there is no such state.
    """
    high, low, inc_high, inc_low, has, rest = (int(word) for word in words)
    if has > 1 or rest >= 2**32:
        raise ValueError("the state of the generator cannot be.")
    generator = np.random.default_rng(0)
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * WORD + low, "inc": inc_high * WORD + inc_low},
        "has_uint32": has,
        "uinteger": rest,
    }
    return generator
