"""All tricks, in the order of their importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import shown
from neuropil.core.name_lookup import normalize_name
from neuropil.study.tricks.activation_tricks import ACTIVATION_TRICKS
from neuropil.study.tricks.augmentation_tricks import AUGMENTATION_TRICKS
from neuropil.study.tricks.batch_norm_tricks import BATCH_NORM_TRICKS
from neuropil.study.tricks.data_tricks import DATA_TRICKS
from neuropil.study.tricks.dropout_tricks import DROPOUT_TRICKS
from neuropil.study.tricks.filter_tricks import FILTER_TRICKS
from neuropil.study.tricks.head_tricks import HEAD_TRICKS
from neuropil.study.tricks.pooling_tricks import POOLING_TRICKS
from neuropil.study.tricks.pretraining_trick import PRETRAINING_TRICKS
from neuropil.study.tricks.schedule_tricks import SCHEDULE_TRICKS
from neuropil.study.tricks.size_tricks import SIZE_TRICKS
from neuropil.study.tricks.step_tricks import BATCH_TRICKS, DECAY_TRICKS, OPTIMIZER_TRICKS
from neuropil.study.tricks.width_tricks import WIDTH_TRICKS
from neuropil.text import nearest_or_some

if TYPE_CHECKING:
    from neuropil.study.tricks.trick import Trick

# What usually matters most comes first: the first of each group before the others.
GROUPS = (
    PRETRAINING_TRICKS,
    BATCH_NORM_TRICKS,
    ACTIVATION_TRICKS,
    DROPOUT_TRICKS,
    AUGMENTATION_TRICKS,
    SCHEDULE_TRICKS,
    POOLING_TRICKS,
    HEAD_TRICKS,
    DATA_TRICKS,
    WIDTH_TRICKS,
    FILTER_TRICKS,
    DECAY_TRICKS,
    BATCH_TRICKS,
    OPTIMIZER_TRICKS,
    SIZE_TRICKS,
)


def by_name(name: str) -> Trick:
    """Return the trick with this name.

    Args:
        name: Such as "elu"; case, ``_``, ``-`` and spaces do not matter.

    Raises:
        ValueError: If the name is unknown; the nearest is suggested.

    Example:
        >>> by_name("elu").title
        'ELU in place of ReLU'
    """
    if normalize_name(name) not in BY_NAME:
        near = nearest_or_some(name, [trick.name for trick in TRICKS])
        raise ValueError(f"the trick {shown(name)} is unknown.{near}")
    return BY_NAME[normalize_name(name)]


def in_turns(groups: tuple[tuple[Trick, ...], ...]) -> tuple[Trick, ...]:
    """Return the tricks of several groups: the first of each, the second of each, and so on."""
    longest = max(map(len, groups))
    return tuple(group[k] for k in range(longest) for group in groups if k < len(group))


TRICKS = in_turns(GROUPS)
BY_NAME = {normalize_name(trick.name): trick for trick in TRICKS}
