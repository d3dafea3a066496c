"""Compiled loop of the matching of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuropil.classic.compiled import compile_loop

Array = np.ndarray[Any, Any]


@compile_loop()
def match_greedily(
    overlaps: Array,
    classes: Array,
    order: Array,
    true_classes: Array,
    uncounted: Array,
    limits: Array,
    matched: Array,
) -> None:
    """Match the answers of one picture with its targets, for each limit of the IoU.

    Args:
        overlaps: IoU of each answer with each target, ``(A, M)``.
        classes: Class of each answer, −1 for padding.
        order: The answers, best score first.
        true_classes: Class of each target, −1 for padding.
        uncounted: Whether a target does not count; then any number of answers may match it.
        limits: The limits.
        matched: Receives the target of each answer, ``(A, T)``, where it has one.
    """
    for limit in range(len(limits)):
        free = true_classes >= 0
        for answer in order:
            best, chosen = limits[limit], -1
            for counts in (True, False):
                if chosen >= 0:
                    break
                for target in range(len(free)):
                    if (
                        free[target]
                        and true_classes[target] == classes[answer]
                        and uncounted[target] != counts
                        and overlaps[answer, target] >= best
                    ):
                        best, chosen = overlaps[answer, target], target
            if chosen >= 0:
                matched[answer, limit] = chosen
                free[chosen] = uncounted[chosen]
