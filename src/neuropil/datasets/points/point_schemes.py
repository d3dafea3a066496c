"""Names of the points of published schemes, in the order of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def both_sides(word: str, count: int) -> list[str]:
    """Return numbered names on the right, from outside to inside, and then on the left."""
    return [f"right_{word}_{n}" for n in range(1, count + 1)] + [
        f"left_{word}_{n}" for n in range(count, 0, -1)
    ]


def ring(word: str, around: Sequence[str]) -> list[str]:
    """Return the names of points around an opening.

    Args:
        word: Its name.
        around: The name of each point on it, without `word`.
    """
    return [f"{word}_{point}" for point in around]


EYE = (
    "outer_corner", "upper_outer", "upper_inner", "inner_corner", "lower_inner",
    "lower_outer",
)  # fmt: skip
LIPS = (
    "right_corner", "right_upper_outer", "right_upper", "upper", "left_upper",
    "left_upper_outer", "left_corner", "left_lower_outer", "left_lower", "lower", "right_lower",
    "right_lower_outer",
)  # fmt: skip
MOUTH = (
    "right_corner", "right_upper", "upper", "left_upper", "left_corner", "left_lower", "lower",
    "right_lower",
)  # fmt: skip
# The left eye is numbered from its inner corner on.
LEFT_EYE = (*EYE[3::-1], EYE[5], EYE[4])
FACE68 = (
    *both_sides("jaw", 8)[:8], "chin", *both_sides("jaw", 8)[8:], *both_sides("brow", 5),
    *ring("nose", ["bridge_1", "bridge_2", "bridge_3", "tip"]),
    *ring("nostril", ["right_outer", "right_inner", "middle", "left_inner", "left_outer"]),
    *ring("right_eye", EYE), *ring("left_eye", LEFT_EYE), *ring("lips", LIPS),
    *ring("mouth", MOUTH),
)  # fmt: skip
SCHEMES = {"face68": FACE68}
"""Names of the points of published schemes; those of the 68 are on the person's own sides."""
