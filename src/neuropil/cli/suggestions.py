"""Suggestions for a name given to the wrong option, such as an optimiser given as a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.text import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable


def elsewhere(name: str, option: str) -> str:
    """Return " 'adam' belongs to --optimizer." for a name of another option, or nothing.

    Args:
        name: The name that was given.
        option: The option that it was given to.

    Example:
        >>> elsewhere("Adma", "--network"), elsewhere("Adma", "--optimizer")
        (" 'adam' belongs to --optimizer.", '')
    """
    own = known_names()
    if nearest_name(name, own.pop(option, ())):
        return ""
    found = ((other, nearest_name(name, names)) for other, names in own.items())
    return next((f" {match!r} belongs to {other}." for other, match in found if match), "")


def known_names() -> dict[str, Iterable[str]]:
    """Return the names that each option of ``neuropil train`` takes."""
    from neuropil.architectures.published.zoo_table import zoo_table
    from neuropil.optim import schedules
    from neuropil.optim.optimizer_table import optimizers
    from neuropil.runs import classic_names
    from neuropil.training.losses import losses

    return {
        "--network": [*zoo_table(), *classic_names.names()],
        "--optimizer": optimizers(),
        "--loss": losses.LOSSES,
        "--schedule": schedules.SCHEDULES,
    }
