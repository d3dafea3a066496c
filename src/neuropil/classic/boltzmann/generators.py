"""States of random generators as arrays, so that a loaded network continues its sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = 2**64


def words_of(generator: np.random.Generator) -> NDArray[np.uint64]:
    """Return the state of a generator, six 64-bit words.

    Args:
        generator: A generator from `numpy.random.default_rng`.

    Raises:
        ValueError: If it has another bit generator.
    """
    found: Any = generator.bit_generator.state
    if found["bit_generator"] != "PCG64":
        raise ValueError(
            f"a generator with {found['bit_generator']} cannot be saved: use "
            f"numpy.random.default_rng, which has PCG64."
        )
    halves = [divmod(found["state"][name], WORD) for name in ("state", "inc")]
    rest = found["has_uint32"], found["uinteger"]
    return np.array([*halves[0], *halves[1], *rest], np.uint64)


def generator_of(words: NDArray[np.uint64]) -> np.random.Generator:
    """Return a generator with the state that `words_of` returned.

    Args:
        words: The state.

    Raises:
        ValueError: If the state is invalid.
    """
    high, low, inc_high, inc_low, has, rest = (int(word) for word in words)
    if has > 1 or rest >= 2**32:
        raise ValueError(
            f"the state of the generator is invalid: its last words must be at most 1 and "
            f"2³² − 1, got {has} and {rest}."
        )
    generator = np.random.default_rng(0)
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * WORD + low, "inc": inc_high * WORD + inc_low},
        "has_uint32": has,
        "uinteger": rest,
    }
    return generator
