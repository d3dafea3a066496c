"""Mining: which triplets of a batch teach the network most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from neuropil.checks import number
from neuropil.vision.faces.device_mining import hardest_on_device, semi_hard_on_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    Triplets: TypeAlias = tuple[Tensor, Tensor, Tensor]

# The number of anchors that a thread takes at once.
BLOCK = 64


def batch_hard_triplets(embeddings: Tensor, people: Tensor) -> Triplets:
    """Return for each anchor of a batch its farthest positive and its nearest negative.

    ``argmax d(A, P)`` over the other pictures P of the person of A, and ``argmin d(A, N)`` over
    the pictures N of all other people, with the Euclidean distance d. Of equal distances the
    lowest index is taken. Anchors without a positive or without a negative are left out.

    An accelerator adds the squares in another order than the CPU: where two distances differ by
    no more than rounding, either may be taken.

    Shape:
        ``(B, D)`` and ``(B)`` to three times ``(triplets)``, rows of the batch as int64: the
        anchors in order, their positives, their negatives.

    Args:
        embeddings: Of unit length, such as a `siamese` network gives; no gradient is kept.
        people: The number of the person of each.

    Raises:
        ValueError: If the shapes do not fit, people are not integers, or an embedding is not
            finite or too large for its distances.

    Reference:
        Hermans, Beyer, Leibe, "In defense of the triplet loss for person re-identification",
        2017, equation 5.

    Example:
        >>> places = torch.tensor([[0.0], [1.0], [3.0], [2.0], [9.0]])
        >>> batch_hard_triplets(places, torch.tensor([7, 7, 7, 8, 9]))  # 3 and 4 are alone
        (tensor([0, 1, 2]), tensor([2, 2, 0]), tensor([3, 3, 3]))
    """
    embeddings, people = batch("batch_hard_triplets", embeddings, people)
    if embeddings.device.type != "cpu":
        return triplets(hardest_on_device, embeddings, people)
    return triplets(hardest_on_cpu, embeddings, people)


def semi_hard_triplets(embeddings: Tensor, people: Tensor, *, margin: float = 0.2) -> Triplets:
    """Return for each anchor and positive of a batch the nearest negative beyond the positive.

    ``argmin d(A, N)`` over the pictures N of other people with ``d(A, P) < d(A, N) < d(A, P) +
    α``, with the Euclidean distance d, which FaceNet squares. Of equal ones the lowest index
    is taken. Pairs that have none are left out.

    Shape:
        ``(B, D)`` and ``(B)`` to three times ``(triplets)``, rows of the batch as int64:
        anchors, positives and negatives, in the order of the anchors, then of the positives.

    Args:
        embeddings: Of unit length, such as a `siamese` network gives; no gradient is kept.
        people: The number of the person of each.
        margin: α, that of the loss.

    Raises:
        ValueError: If the shapes do not fit, people are not integers, an embedding is not
            finite or too large for its distances, or the margin is not above 0.

    Reference:
        Schroff, Kalenichenko, Philbin, "FaceNet: a unified embedding for face recognition and
        clustering", 2015, §3.2.

    Example:
        >>> places = torch.tensor([[0.0], [1.0], [3.0], [2.0], [9.0]])
        >>> semi_hard_triplets(places, torch.tensor([7, 7, 7, 8, 9]), margin=4.0)
        (tensor([0, 2]), tensor([1, 0]), tensor([3, 4]))
    """
    margin = number(margin, "semi_hard_triplets: margin", "(0, inf)")
    embeddings, people = batch("semi_hard_triplets", embeddings, people)
    if embeddings.device.type != "cpu":
        return triplets(partial(semi_hard_on_device, margin=margin), embeddings, people)
    return triplets(partial(semi_hard_on_cpu, margin=margin), embeddings, people)


def batch(what: str, embeddings: Tensor, people: Any) -> tuple[Tensor, Tensor]:
    """Return embeddings in float32 or float64, and people as int64, once they are checked.

    Raises:
        ValueError: If they do not fit, or an embedding has no distances.
    """
    kind = torch.promote_types(embeddings.dtype, torch.float32)
    embeddings = embeddings.detach().to(kind)
    people = torch.as_tensor(people, device=embeddings.device)
    if embeddings.ndim != 2 or embeddings.shape[1] == 0 or people.shape != embeddings.shape[:1]:
        raise ValueError(
            f"{what} needs embeddings (B, D) and the people of all (B), got "
            f"{tuple(embeddings.shape)} and {tuple(people.shape)}."
        )
    if people.is_floating_point() or people.is_complex() or people.dtype == torch.bool:
        raise ValueError(f"{what}: people must be integers, got {people.dtype}.")
    most = (torch.finfo(kind).max / embeddings.shape[1]) ** 0.5 / 4
    wrong = (~(embeddings.abs() <= most).all(1)).nonzero()
    if len(wrong):
        raise ValueError(
            f"{what}: embedding {int(wrong[0])} holds a number that is NaN, infinite or above "
            f"{most:.0e}, and so has no distances."
        )
    return embeddings, people.to(torch.int64)


def triplets(
    search: Callable[[Tensor, Tensor], Tensor], embeddings: Tensor, people: Tensor
) -> Triplets:
    """Return the triplets of a search; none for pictures of one person."""
    if len(people.unique()) < 2:
        anchors, positives, negatives = people.new_empty(3, 0)
    else:
        anchors, positives, negatives = search(embeddings, people)
    return anchors, positives, negatives


def hardest_on_cpu(embeddings: Tensor, people: Tensor) -> Tensor:
    """Return the triplets of batch-hard mining, ``(3, triplets)``, by compiled loops."""
    from neuropil.vision.faces.mining_loops import hardest

    places, own = as_arrays(embeddings, people)
    return in_blocks(lambda first, last: hardest(places, own, first, last), len(own))


def semi_hard_on_cpu(embeddings: Tensor, people: Tensor, margin: float) -> Tensor:
    """Return the triplets of semi-hard mining, ``(3, triplets)``, by compiled loops."""
    from neuropil.vision.faces.mining_loops import semi_hard

    places, own = as_arrays(embeddings, people)
    _, number_of, pictures = np.unique(own, return_inverse=True, return_counts=True)
    others, real = pictures[number_of] - 1, places.dtype.type(margin)

    def search(first: int, last: int) -> NDArray[Any]:
        return semi_hard(places, own, first, last, others[first:last].sum(), real)

    return in_blocks(search, len(own))


def as_arrays(embeddings: Tensor, people: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return embeddings and people as contiguous arrays."""
    return embeddings.contiguous().numpy(), people.contiguous().numpy()


def in_blocks(search: Callable[[int, int], NDArray[Any]], anchors: int) -> Tensor:
    """Return the triplets of all anchors, found by as many threads as torch uses."""
    starts = range(0, anchors, BLOCK)
    ends = (min(start + BLOCK, anchors) for start in starts)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        parts = [*pool.map(search, starts, ends)]
    return torch.from_numpy(np.concatenate(parts, axis=1, dtype=np.int64))
