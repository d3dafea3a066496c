"""Ten binary digits of 6×4 pixels, and noisy copies: patterns for associative memories."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuropil.checks import number, one_of, whole

GLYPHS = """
.##. .#.. ###. ###. #..# #### .##. #### .##. .##.
#..# ##.. ...# ...# #..# #... #... ...# #..# #..#
#..# .#.. ...# .##. #..# ###. ###. ..#. .##. #..#
#..# .#.. .##. ...# #### ...# #..# ..#. #..# .###
#..# .#.. #... ...# ...# ...# #..# .#.. #..# ...#
.##. ###. #### ###. ...# ###. .##. .#.. .##. .##.
"""


def load_digits() -> np.ndarray[Any, Any]:
    """Return ten binary pictures of the digits 0 to 9.

    Shape:
        ``(10, 24)``: digit d in row d, its 6×4 pixels row by row; 1 is ink.

    Example:
        >>> from neuropil.datasets import load_digits
        >>> digits = load_digits()
        >>> digits.shape
        (10, 24)
        >>> for row in digits[4].reshape(6, 4):
        ...     print("".join(".#"[pixel] for pixel in row))
        #..#
        #..#
        #..#
        ####
        ...#
        ...#
    """
    pixels = np.array([list(line.replace(" ", "")) for line in GLYPHS.split("\n") if line])
    # (6 rows, 10 digits, 4 columns) in the drawing; one digit per row in the result.
    return (pixels == "#").astype(np.int64).reshape(6, 10, 4).swapaxes(0, 1).reshape(10, 24)


def make_digits(
    n_samples: int = 100,
    *,
    noise_level: float = 0.1,
    mode: str = "flip",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return noisy copies of the binary digits, and their labels.

    Shape:
        ``X``: ``(n_samples, 24)``, 0 and 1. ``y``: ``(n_samples)``, 0 to 9.

    Args:
        n_samples: Number of copies; the digit of each is drawn uniformly.
        noise_level: Probability that a pixel is changed, from 0 to 1.
        mode: ``"flip"`` inverts a pixel; ``"remove"`` only turns ink into paper.
        random_state: Seed or generator, as in scikit-learn.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> from neuropil.datasets import load_digits, make_digits
        >>> X, y = make_digits(5, noise_level=0.0, random_state=0)
        >>> bool((X == load_digits()[y]).all())
        True
        >>> X, y = make_digits(1000, noise_level=0.25, mode="remove", random_state=0)
        >>> kept = X.sum() / load_digits()[y].sum()
        >>> bool(0.73 < kept < 0.77)
        True
    """
    from sklearn.utils import check_random_state

    whole(n_samples, "make_digits: n_samples")
    number(noise_level, "make_digits: noise_level", "[0, 1]")
    one_of(mode, "make_digits: mode", ("flip", "remove"))
    random = check_random_state(random_state)
    y = random.randint(10, size=n_samples)
    X = load_digits()[y]
    noise = random.random_sample(X.shape) < noise_level
    return (X ^ noise if mode == "flip" else X * ~noise), y
