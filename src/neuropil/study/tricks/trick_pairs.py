"""Pairs of tricks: two changes at once, whose gain need not be the sum of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.study.tricks.data_tricks import QUESTIONS
from neuropil.study.tricks.trick import Trick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.runs.task import Task
    from neuropil.study.setups.setup import Setup

AND = "+"
TIMES = " × "


def pair(one: Trick, other: Trick) -> Trick:
    """Return the trick that makes two changes, one after the other.

    Example:
        >>> from neuropil.study.tricks.trick_table import by_name
        >>> both = pair(by_name("elu"), by_name("no_dropout"))
        >>> both.name, both.group
        ('elu+no_dropout', 'activation × dropout')
    """

    def change(setup: Setup, task: Task[Any]) -> Setup | str:
        first = one.change(setup, task)
        return first if isinstance(first, str) else other.change(first, task)

    return Trick(
        one.name + AND + other.name,
        f"{one.title} + {other.title}",
        one.group + TIMES + other.group,
        change,
    )


def grid(text: str, ones: Sequence[Trick], others: Sequence[Trick]) -> list[Trick]:
    """Return the pairs of tricks of two sides, but those of one group.

    Args:
        text: The grid as the user typed it.
        ones: The tricks of the first side.
        others: The tricks of the second side.

    Raises:
        ValueError: If there is none.
    """
    cells = [
        pair(one, other)
        for one in ones
        for other in others
        if one.group != other.group and not {one.group, other.group} & {*QUESTIONS}
    ]
    if not cells:
        raise ValueError(
            f"{text} has no pair: a grid takes tricks of two groups that change a training, "
            "such as elu+dropout."
        )
    return cells


def parts_of(name: str) -> list[str]:
    """Return the tricks of a pair; of one trick, itself."""
    return name.split(AND)


def groups_of(trick: Trick) -> set[str]:
    """Return the groups that a trick or a pair belongs to."""
    return {*trick.group.split(TIMES)}
