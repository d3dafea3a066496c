"""Batch-hard and semi-hard mining of 4,096 embeddings, beside pytorch-metric-learning's miners.

The embeddings are those of an untrained network, where nearly every pair of pictures of a
person has a semi-hard negative: most work, and most triplets. The peer's semi-hard miner lists
all triplets of a batch, and all negatives of a pair within the margin; it is timed on 512
embeddings, and its nearest negative of each pair is compared. Memory is what a fresh process
holds at its peak beyond what it held before the call, the loading of compiled code included.
"""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.memory import peak, resident
from benchmarks.timing import alternate, ratio, report
from neuropil.vision import batch_hard_triplets, semi_hard_triplets

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

BATCH, SIZE, SMALL, MARGIN, THREADS = 4096, 128, 512, 0.2, 2
MIXES = {"8 people": 8, "2 pictures a person": None}
# Seconds and bytes allowed.
ALLOWED = {"batch-hard": 0.3, "semi-hard": 0.5}
MOST = 300e6
OURS = {
    "batch-hard": batch_hard_triplets,
    "semi-hard": lambda *batch: semi_hard_triplets(*batch, margin=MARGIN),
}


def main(json: str | None = None, rounds: int = 9) -> None:
    """Time both searches for few and many people, and measure their memory."""
    torch.set_num_threads(THREADS)
    figures: dict[str, Any] = {}
    for mix in MIXES:
        for search, peer_batch in (("batch-hard", BATCH), ("semi-hard", SMALL)):
            found = figures[f"{search}, {mix}"] = {"alone": alone(search, mix, rounds)}
            if importlib.util.find_spec("pytorch_metric_learning"):
                found["beside"] = beside(search, mix, peer_batch, rounds)
            else:
                print("  pytorch-metric-learning is left out: it is not installed")
    report("mining", {"rounds": rounds, **figures}, json)


def alone(search: str, mix: str, rounds: int) -> dict[str, Any]:
    """Time ours on the whole batch, and measure its memory."""
    batch = embeddings_of(mix, BATCH)
    found = len(OURS[search](*batch)[0])
    timing = alternate({"ours": lambda: OURS[search](*batch)}, rounds=rounds)["ours"]
    held = memory(search, mix, BATCH, "ours")
    fine = timing.minimum <= ALLOWED[search] and held <= MOST
    print(
        f"{search}, {mix}: {found:,} triplets of {BATCH:,} in {timing.minimum:.3f} s "
        f"(median {timing.median:.3f}), {held / 1e6:.0f} MB; at most {ALLOWED[search]} s and "
        f"{MOST / 1e6:.0f} MB: {'yes' if fine else 'NO'}",
        flush=True,
    )
    return {"triplets": found, "seconds": timing.seconds, "bytes": held}


def beside(search: str, mix: str, size: int, rounds: int) -> dict[str, Any]:
    """Time ours and the peer's in turn on a batch that the peer can hold."""
    batch = embeddings_of(mix, size)
    theirs = peer(search)
    different = compare(batch, OURS[search](*batch), theirs(*batch))
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: OURS[search](*batch),
        "peer": lambda: theirs(*batch),
    }
    timings = alternate(contestants, rounds=rounds)
    faster = ratio(timings["ours"], timings["peer"])
    held = {name: memory(search, mix, size, name) for name in contestants}
    print(
        f"  {size:,} beside pytorch-metric-learning: {timings['ours'].minimum:.4f} s and "
        f"{held['ours'] / 1e6:.0f} MB, theirs {timings['peer'].minimum:.4f} s and "
        f"{held['peer'] / 1e6:.0f} MB; ours takes {faster} of the time; pairs that differ by "
        f"rounding: {different}",
        flush=True,
    )
    return {
        **{name: timing.seconds for name, timing in timings.items()},
        "ratio": faster.median,
        "bytes": held,
        "different": different,
    }


def embeddings_of(mix: str, size: int) -> tuple[Tensor, Tensor]:
    """Return embeddings of unit length that hardly tell people apart, and the people."""
    generator = torch.Generator().manual_seed(0)
    people = torch.arange(size) % (MIXES[mix] or size // 2)
    people = people[torch.randperm(size, generator=generator)]
    centers = torch.randn(int(people.max()) + 1, SIZE, generator=generator)
    mixed = centers[people] + 4 * torch.randn(size, SIZE, generator=generator)
    return torch.nn.functional.normalize(mixed, dim=1), people


def peer(search: str) -> Callable[[Tensor, Tensor], Any]:
    """Return the miner of pytorch-metric-learning for a search."""
    from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner

    if search == "batch-hard":
        return BatchHardMiner()
    return TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard")


def compare(batch: tuple[Tensor, Tensor], ours: Any, theirs: Any) -> int:
    """Return the number of pairs that have another negative, or one here alone.

    Of several negatives of a pair the peer's nearest counts. It takes distances from products
    of matrices: rounding decides where two are equally far to some digits, or one is as far as
    the positive or the end of the margin.
    """
    distances = torch.cdist(batch[0].double(), batch[0].double())

    def nearest(triplets: Any) -> Tensor:
        anchors, positives, negatives = triplets
        found = torch.full((distances.numel(),), math.inf, dtype=torch.float64)
        far = distances[anchors, negatives]
        return found.scatter_reduce(0, anchors * len(distances) + positives, far, "amin")

    mine, other = nearest(ours), nearest(theirs)
    different = int((mine != other).sum())
    assert different <= 1e-3 * int(mine.isfinite().sum())
    return different


def memory(search: str, mix: str, size: int, whose: str) -> int:
    """Return the bytes that a search takes at its peak, in a fresh process."""
    code = f"from benchmarks.mining import held; held({search!r}, {mix!r}, {size}, {whose!r})"
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def held(search: str, mix: str, size: int, whose: str) -> None:
    """Print the bytes that a search takes at its peak beyond what the process held before."""
    torch.set_num_threads(THREADS)
    batch = embeddings_of(mix, size)
    run = OURS[search] if whose == "ours" else peer(search)
    before = resident()
    run(*batch)
    print(max(peak() - before, 0))
