"""What a constant answer would give, and whether an accuracy says more than that."""

from __future__ import annotations

# An accuracy this far above the mean of the classes' own comes from the frequent ones alone.
APART = 0.1


def flatters(accuracy: float, low: float, balanced: float, guess: float) -> bool:
    """Tell whether an accuracy hides that a network does little more than guess.

    Args:
        accuracy: The share that is classified right.
        low: The lower end of its interval.
        balanced: The mean of the classes' own accuracies.
        guess: The share of the most frequent class, which a constant answer gets right.

    Example:
        >>> flatters(0.978, 0.963, 0.5, 0.98), flatters(0.97, 0.96, 0.96, 0.5)
        (True, False)
    """
    if accuracy >= 1:
        return False
    return low <= guess or accuracy - balanced > APART
