"""Non-max suppression of 30,000 boxes on one thread, beside NumPy's loop and torchvision's.

Times are the processor's, which other programs on the machine hardly change.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.timing import alternate, first_use, ratio, report
from neuropil.vision import non_max_suppression, to_corners

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

BOXES, SIDE = 30_000, 1280
# Milliseconds allowed at IoU ½ and above.
ALLOWED = {"300 objects": 6, "spread out": 40}
# torchvision's operators come in a library that also holds CUDA kernels. Beside a torch without
# CUDA these two libraries are missing; it takes one variable from them, and calls nothing.
MISSING = {
    "libc10_cuda.so": "void *_ZN3c104cuda20CUDACachingAllocator9allocatorE;",
    "libtorch_cuda.so": "",
}


def main(json: str | None = None, rounds: int = 9) -> None:
    """Time both sets of boxes at several thresholds, and the peers at the usual one."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"compiling, seconds": compiling()}
    print(f"compiling at the first use: {figures['compiling, seconds']:.1f} s, then cached")
    peers = {"NumPy's loop": numpy_loop, "torchvision": torchvision_nms()}
    peers = {name: peer for name, peer in peers.items() if peer}
    for name, (boxes, scores) in {"300 objects": objects(), "spread out": spread()}.items():
        print(f"{name}: {BOXES:,} boxes")
        figures[name] = {"0.5": beside_peers(name, boxes, scores, peers, rounds)}
        for threshold in (0.1, 0.3, 0.7, 0.9):
            figures[name][str(threshold)] = alone(name, boxes, scores, threshold, rounds)
    report("boxes", {"rounds": rounds, **figures}, json)


def objects() -> tuple[Tensor, Tensor]:
    """Return boxes as a detector gives them: a hundred around each of 300 objects."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(0, SIDE, (300, 2))
    sizes = np.exp(rng.normal(np.log(80), 0.6, (300, 2)))
    of = rng.integers(0, 300, BOXES)
    moved = centers[of] + 0.1 * sizes[of] * rng.normal(size=(BOXES, 2))
    scaled = sizes[of] * np.exp(0.1 * rng.normal(size=(BOXES, 2)))
    return scored(moved, scaled, rng)


def spread() -> tuple[Tensor, Tensor]:
    """Return boxes strewn over the picture, about 20,000 of which remain."""
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(np.log(24), 0.4, (BOXES, 1)) + 0.1 * rng.normal(size=(BOXES, 2)))
    return scored(rng.uniform(0, SIDE, (BOXES, 2)), sizes, rng)


def scored(centers: Any, sizes: Any, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return boxes as corners in float32, with scores that all pass the usual threshold."""
    boxes = to_corners(torch.from_numpy(np.concatenate([centers, sizes], 1)))
    return boxes.float(), torch.from_numpy(rng.uniform(0.6, 1, BOXES)).float()


def beside_peers(
    name: str,
    boxes: Tensor,
    scores: Tensor,
    peers: dict[str, Callable[[Tensor, Tensor, float], Tensor]],
    rounds: int,
) -> dict[str, Any]:
    """Return times at an IoU of ½, in turn with the peers, whose boxes must be the same."""
    ours = non_max_suppression(boxes, scores)
    for peer in peers.values():
        assert torch.equal(peer(boxes, scores, 0.5), ours)
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: non_max_suppression(boxes, scores),
        **{peer: lambda f=f: f(boxes, scores, 0.5) for peer, f in peers.items()},
    }
    timings = alternate(contestants, rounds=rounds, clock=time.thread_time)
    found: dict[str, Any] = {"kept": len(ours)}
    told(name, 0.5, len(ours), timings["ours"])
    found["ours"] = timings["ours"].seconds
    for peer in peers:
        faster = ratio(timings["ours"], timings[peer])
        print(
            f"      {peer:13} {timings[peer].median * 1e3:8.1f} ms; ours takes {faster} of it"
        )
        found[peer] = {"seconds": timings[peer].seconds, "ratio": faster.median}
    return found


def alone(
    name: str, boxes: Tensor, scores: Tensor, threshold: float, rounds: int
) -> dict[str, Any]:
    """Return times at another threshold."""
    kept = len(non_max_suppression(boxes, scores, iou=threshold))
    contestants = {"ours": lambda: non_max_suppression(boxes, scores, iou=threshold)}
    timing = alternate(contestants, rounds=rounds, clock=time.thread_time)["ours"]
    told(name, threshold, kept, timing)
    return {"kept": kept, "ours": timing.seconds}


def told(name: str, threshold: float, kept: int, timing: Any) -> None:
    """Print a line; thresholds below ½ have no limit."""
    line = (
        f"  IoU {threshold}: {kept:6,} kept in {timing.median * 1e3:5.1f} ms "
        f"(least {timing.minimum * 1e3:.1f})"
    )
    if threshold >= 0.5:
        fine = "yes" if timing.median * 1e3 <= ALLOWED[name] else "NO"
        line += f"; at most {ALLOWED[name]}: {fine}"
    print(line)


def numpy_loop(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Return the kept boxes by the usual loop: the best is compared with all others at once."""
    x1, y1, x2, y2 = boxes.numpy().T
    areas = (x2 - x1) * (y2 - y1)
    order = np.argsort(-scores.numpy(), kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        width = np.minimum(x2[best], x2[order]) - np.maximum(x1[best], x1[order])
        height = np.minimum(y2[best], y2[order]) - np.maximum(y1[best], y1[order])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        order = order[common / (areas[best] + areas[order] - common) < threshold]
    return torch.from_numpy(np.array(kept))


def torchvision_nms() -> Callable[[Tensor, Tensor, float], Tensor] | None:
    """Return torchvision's compiled operator, or None with a line that says why not."""
    found = importlib.util.find_spec("torchvision")
    if found is None or not found.submodule_search_locations or not shutil.which("cc"):
        print("torchvision is left out: it needs the package and a C compiler")
        return None
    folder = Path(found.submodule_search_locations[0])
    with tempfile.TemporaryDirectory() as made:
        for library, source in MISSING.items():
            path = f"{made}/{library}"
            command = ["cc", "-shared", "-x", "c", "-", f"-Wl,-soname,{library}", "-o", path]
            subprocess.run(command, input=source, text=True, check=True)
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    for path in folder.parent.glob("torchvision.libs/libcudart*"):
        ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    # Python's own loader resolves every function at once; these are never called.
    lazily = 1
    if not ctypes.CDLL(None).dlopen(str(folder / "_C.so").encode(), lazily):
        print("torchvision is left out: its operators do not load")
        return None
    return torch.ops.torchvision.nms


def compiling() -> float:
    """Return the seconds of the first call, where nothing is cached."""
    return first_use(
        "non_max_suppression(torch.rand(9, 4), torch.rand(9))",
        "import numba, torch\nfrom neuropil.vision import non_max_suppression",
    )
