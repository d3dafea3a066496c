"""Checks and conversions of targets: they must match the scores and are never broadcast.

The functions that run in every step check shapes and types only. Those that `prepare` calls
once also check the values, which requires a synchronisation on a GPU.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable


def class_targets(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return class numbers as int64 ``(N, *positions)``, or probabilities like the scores.

    Raises:
        ValueError: If the shapes or types do not match.
    """
    if scores.dim() < 2 or scores.shape[1] < 2:
        raise ValueError(
            f"{name} needs scores of at least 2 classes, (N, K), got {size(scores)}; "
            f"for a single score use binary_cross_entropy or binary_hinge."
        )
    positions = scores.shape[2:]
    if targets.shape[1:] == scores.shape[1:]:
        return targets.to(scores.dtype)
    if targets.is_floating_point() or targets.is_complex():
        raise ValueError(
            f"{name} takes classes as integers, or probabilities of the shape of the scores "
            f"{size(scores)}, got {targets.dtype} of {size(targets)}."
        )
    if targets.shape[1:] == (1, *positions):
        targets = targets.squeeze(1)
    if targets.shape[1:] != positions:
        wanted = ("N", *positions) if positions else ("N",)
        hint = "."
        if targets.shape[1:] == scores.shape[1:-1]:
            hint = (
                ": axis 1 of the scores must be the class axis; end the network in Softmax, "
                "which specifies the class axis, or in Transpose."
            )
        raise ValueError(
            f"{name} takes one class per example and position, "
            f"({', '.join(map(str, wanted))}), for scores of {size(scores)}, "
            f"got {size(targets)}{hint}"
        )
    return targets.long()


def single_classes(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return one class number per example, ``(N)``.

    Raises:
        ValueError: If the targets have another form.
    """
    classes = class_targets(name, scores, targets)
    if classes.is_floating_point() or classes.dim() != 1:
        raise ValueError(
            f"{name} takes one class number per example, (N,), for scores of "
            f"{size(scores)}, got {targets.dtype} of {size(targets)}."
        )
    return classes


def like_scores(name: str, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and targets in the same shape and type, at least single precision.

    An axis of length 1 may be omitted: scores (N, 1) match targets (N).

    Raises:
        ValueError: If the shapes do not match.
    """
    if scores.dtype.itemsize < 4:
        scores = scores.float()
    return scores, shaped_as_scores(name, scores, targets).to(scores.dtype)


def shaped_as_scores(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return targets in the shape of the scores; the numbers of examples may differ.

    Raises:
        ValueError: If the shapes do not match.
    """
    if targets.shape[1:] == scores.shape[1:]:
        return targets
    own, wanted = ([n for n in t.shape[1:] if n != 1] for t in (targets, scores))
    if targets.dim() == 0 or own != wanted:
        raise ValueError(
            f"{name} needs targets of the shape of the scores {size(scores)}, got "
            f"{size(targets)}."
        )
    return targets.reshape(targets.shape[:1] + scores.shape[1:])


def is_single(scores: Tensor) -> bool:
    """Return whether each example has a single score."""
    return scores.dim() == 1 or (scores.dim() == 2 and scores.shape[1] == 1)


def check_batch(name: str, scores: Tensor, targets: Tensor) -> None:
    """Check that scores and targets have the same number of examples.

    Raises:
        ValueError: If they differ.
    """
    if scores.shape[:1] != targets.shape[:1]:
        raise ValueError(
            f"{name} needs the same number of examples, got scores for {len(scores)}, "
            f"{size(scores)}, and targets for {len(targets)}, {size(targets)}."
        )


def check_classes(name: str, targets: Tensor, classes: int) -> None:
    """Check that every class number has a score.

    Raises:
        ValueError: If one is below 0 or too large.
    """
    if targets.numel() == 0:
        return
    low, high = (int(bound) for bound in targets.aminmax())
    if low < 0 or high >= classes:
        raise ValueError(
            f"{name}: the scores are for {classes} classes, numbered from 0 to {classes - 1}, "
            f"got class {low if low < 0 else high}."
        )


def check_finite(name: str, targets: Tensor) -> None:
    """Check that all targets are finite.

    Raises:
        ValueError: If one is NaN or infinite.
    """
    if not bool(targets.isfinite().all()):
        count = int((~targets.isfinite()).sum())
        raise ValueError(f"{name} needs finite targets, got {count} that are NaN or infinite.")


def check_signs(name: str, targets: Tensor) -> None:
    """Check that the targets of decisions are two classes.

    Raises:
        ValueError: If the targets are neither 0 and 1 nor −1 and 1.
    """
    found = set(targets.unique().tolist())
    if not (found <= {0.0, 1.0} or found <= {-1.0, 1.0}):
        raise ValueError(f"{name} takes targets 0 and 1, or −1 and 1, got {sorted(found)[:5]}.")


def check_fractions(name: str, targets: Tensor) -> None:
    """Check that all targets are probabilities.

    Raises:
        ValueError: If a target is not from 0 to 1.
    """
    check_finite(name, targets)
    if targets.numel() and (targets.min() < 0 or targets.max() > 1):
        low, high = (bound.item() for bound in targets.aminmax())
        raise ValueError(f"{name} needs targets from 0 to 1, got {low:g} to {high:g}.")


def check_distributions(name: str, targets: Tensor) -> None:
    """Check that the targets are distributions over the classes, axis 1.

    Raises:
        ValueError: If a target is not from 0 to 1, or those of an example do not sum to 1.
    """
    check_fractions(name, targets)
    sums = targets.sum(dim=1, dtype=torch.float64)
    if targets.numel() and (sums - 1).abs().max() > 1e-3:
        worst = sums.flatten()[(sums - 1).abs().argmax()].item()
        raise ValueError(
            f"{name}: the probabilities of an example must sum to 1, got a sum of {worst:g}."
        )


def prepare_classes(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return checked class numbers or distributions."""
    targets = class_targets(name, scores, targets)
    if targets.is_floating_point():
        check_distributions(name, targets)
    else:
        check_classes(name, targets, scores.shape[1])
    return targets


def prepare_like_scores(
    check: Callable[[str, Tensor], None], name: str, scores: Tensor, targets: Tensor
) -> Tensor:
    """Return checked targets, in the shape and type of the scores."""
    targets = like_scores(name, scores, targets)[1]
    check(name, targets)
    return targets


def prepare_single_classes(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return checked class numbers, one per example."""
    return prepare_classes(name, scores, single_classes(name, scores, targets))


prepare_distributions = partial(prepare_like_scores, check_distributions)
prepare_signs = partial(prepare_like_scores, check_signs)
prepare_fractions = partial(prepare_like_scores, check_fractions)
prepare_numbers = partial(prepare_like_scores, check_finite)


def size(tensor: Tensor) -> str:
    """Return the shape of a tensor as text, such as ``(32, 10)``."""
    return str(tuple(tensor.shape))
