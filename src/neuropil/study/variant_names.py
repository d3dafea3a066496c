"""Names of what a study trains: the baseline, tricks together, trials of learning rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BASELINE = "baseline"
# The name of several tricks together begins with this.
JOINT, PLUS = "together: ", " + "
# The name of a training that chooses a learning rate: its factor, then the variant.
TUNING, OF = "lr × ", " of "


def joint_name(names: Sequence[str]) -> str:
    """Return the name of the variant with several tricks."""
    return JOINT + PLUS.join(names)


def is_joint(name: str) -> bool:
    """Return whether a variant has several tricks."""
    return name.startswith(JOINT)


def names_of(name: str) -> list[str]:
    """Return the tricks of a variant with several.

    Example:
        >>> names_of(joint_name(["elu", "no_dropout"]))
        ['elu', 'no_dropout']
    """
    return name.removeprefix(JOINT).split(PLUS)


def tuning_name(name: str, factor: float) -> str:
    """Return the name of the training of a variant that tries a factor of its learning rate."""
    return f"{TUNING}{factor:g}{OF}{name}"


def is_tuning(name: str) -> bool:
    """Return whether a training chooses a learning rate."""
    return name.startswith(TUNING)


def tuned(name: str) -> tuple[str, float]:
    """Return the variant that a training belongs to, and the factor of its learning rate.

    Example:
        >>> tuned(tuning_name("elu", 0.5)), tuned("elu")
        (('elu', 0.5), ('elu', 1.0))
    """
    if not is_tuning(name):
        return name, 1.0
    factor, _, variant = name.removeprefix(TUNING).partition(OF)
    return variant, float(factor)
