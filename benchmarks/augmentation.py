"""Augmentation of a batch: a chain against its steps one by one, and against Kornia's.

Two batches of bytes and of floating-point numbers. Kornia takes the latter only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from benchmarks.timing import alternate, ratio, report
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomShift,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

CHAINS = {
    "shift, flip": (RandomShift(4), RandomFlip()),
    "rotation, shift, flip": (RandomRotation(15), RandomShift(4), RandomFlip()),
    "resized crop, flip, jitter": (
        RandomResizedCrop(),
        RandomFlip(),
        ColorJitter(0.4, 0.4, 0.4, 0.1),
    ),
}
SHAPES = ((128, 3, 32, 32), (32, 3, 224, 224))


def main(json: str | None = None, rounds: int = 10) -> None:
    """Time each chain, its steps and Kornia's in turn; print milliseconds and ratios."""
    rows: list[dict[str, Any]] = []
    for shape in SHAPES:
        pictures = torch.randint(0, 256, shape, dtype=torch.uint8)
        for batch in (pictures, pictures.float() / 255):
            for name in CHAINS:
                timings = alternate(contestants(name, batch), rounds=rounds)
                kind = str(batch.dtype).removeprefix("torch.")
                row = {name: each.minimum * 1e3 for name, each in timings.items()}
                rows.append({"shape": shape, "type": kind, "chain": name, **row})
                shown = "   ".join(f"{who} {ms:6.2f} ms" for who, ms in row.items())
                faster = ratio(timings["steps"], timings["chain"])
                print(f"{'×'.join(map(str, shape)):14} {kind:8} {name:27} {shown}")
                print(f"{'':24} steps / chain {faster}", flush=True)
    report("augmentation", {"rows": rows}, json)


def contestants(name: str, pictures: Tensor) -> dict[str, Callable[[], object]]:
    """Return what is timed on a batch: the chain, its steps, and Kornia's if it has it."""
    steps, chain = CHAINS[name], Compose(*CHAINS[name])
    targets, generator = torch.zeros(len(pictures)), torch.Generator().manual_seed(0)

    def apart() -> None:
        changed = pictures
        for step in steps:
            changed, _ = step(changed, targets, generator)

    found = {"chain": lambda: chain(pictures, targets, generator), "steps": apart}
    theirs = kornia_chain(name, pictures.shape[2])
    if theirs is not None and pictures.is_floating_point():
        found["Kornia"] = lambda: theirs(pictures)
    return found


def kornia_chain(name: str, side: int) -> Callable[[Tensor], object] | None:
    """Return Kornia's chain of the same name; None if it has none or is not installed."""
    try:
        import kornia.augmentation as theirs
    except ImportError:
        return None
    part = (4 / side, 4 / side)
    flip = theirs.RandomHorizontalFlip()
    chains = {
        "rotation, shift, flip": [
            theirs.RandomRotation(15, p=1.0),
            theirs.RandomTranslate(part, part, p=1.0),
            flip,
        ],
        "resized crop, flip, jitter": [
            theirs.RandomResizedCrop((side, side)),
            flip,
            theirs.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1.0),
        ],
    }
    return theirs.AugmentationSequential(*chains[name]) if name in chains else None
