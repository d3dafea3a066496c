"""Comparison of an accuracy with that of a constant prediction."""

from __future__ import annotations

# An accuracy this far above the balanced accuracy comes from the frequent classes alone.
APART = 0.1


def is_misleading(accuracy: float, low: float, balanced: float, guess: float) -> bool:
    """Tell whether an accuracy hides that a network does little more than guess.

    Args:
        accuracy: The accuracy.
        low: The lower end of its interval.
        balanced: The balanced accuracy, the mean recall of the classes.
        guess: The share of the most frequent class, the accuracy of a constant prediction.

    Example:
        >>> is_misleading(0.978, 0.963, 0.5, 0.98), is_misleading(0.97, 0.96, 0.96, 0.5)
        (True, False)
    """
    if accuracy >= 1:
        return False
    return low <= guess or accuracy - balanced > APART
