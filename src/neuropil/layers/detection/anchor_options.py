"""The anchors of a detector and the strides of their maps, as options of layers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from neuropil.checks import number, shown, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    Anchors = Sequence[Sequence[tuple[float, float]]]


def strides_and_anchors(
    what: str, strides: Sequence[int], anchors: Anchors
) -> tuple[tuple[int, ...], tuple[tuple[tuple[float, float], ...], ...]]:
    """Return the strides, and for each the width and height of its anchors.

    Args:
        what: Name of the layer, for messages.
        strides: As they were given.
        anchors: As they were given.

    Raises:
        ValueError: When there is no anchor, an anchor has no area, the lists of anchors are not
            as many as the strides, or the strides do not divide each other.
    """
    steps = tuple(
        whole(each, f"{what}: each of strides") for each in as_list(strides, f"{what}: strides")
    )
    groups = tuple(
        tuple(as_anchor(each, what) for each in as_list(group, f"{what}: each list of anchors"))
        for group in as_list(anchors, f"{what}: anchors")
    )
    if not steps or len(steps) != len(groups):
        raise ValueError(
            f"{what}: give one list of anchors per stride, got {len(groups)} for {len(steps)}."
        )
    if not all(groups):
        raise ValueError(f"{what}: each stride needs at least one anchor.")
    if any(large % small or large == small for small, large in pairwise(steps)):
        raise ValueError(
            f"{what}: strides must grow, and each must divide the next, got {list(steps)}."
        )
    return steps, groups


def as_list(values: Any, what: str) -> Sequence[Any]:
    """Return a list or tuple.

    Raises:
        ValueError: When it is something else.
    """
    if not isinstance(values, tuple | list):
        raise ValueError(f"{what} must be a list, got {shown(values)}.")
    return values


def as_anchor(anchor: Any, what: str) -> tuple[float, float]:
    """Return an anchor as its width and height.

    Raises:
        ValueError: When it is not two numbers above 0.
    """
    if not isinstance(anchor, tuple | list) or len(anchor) != 2:
        raise ValueError(
            f"{what}: each of anchors must be a width and a height, got {shown(anchor)}."
        )
    width, height = (
        number(each, f"{what}: a side of one of anchors", "(0, inf)") for each in anchor
    )
    return width, height
