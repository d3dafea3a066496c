"""How long a report of resnet50 takes, ours and torchvision's, against torchinfo's."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.timing import alternate, ratio, report
from neuropil.analysis import summary
from neuropil.architectures import resnet50

if TYPE_CHECKING:
    from types import ModuleType

SHAPE = (3, 224, 224)
ALLOWED = {"ours": 0.25, "torchvision's": 1.0}
DECLARED = ("nms", "qnms")


def torchvision() -> ModuleType:
    """Import torchvision beside whichever build of torch there is."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in DECLARED:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("torchvision")
    module.declared = library  # the operators last as long as the library
    return module


def main(json: str | None = None, rounds: int = 15) -> None:
    """Time the whole report, text included."""
    import torchinfo

    plain = torchvision().models.resnet50(weights=None)
    own = resnet50()
    contestants = {
        "ours": lambda: str(summary(own)),
        "torchvision's": lambda: str(summary(plain, SHAPE, depth=3)),
        "torchinfo": lambda: str(torchinfo.summary(plain, (1, *SHAPE), verbose=0)),
    }
    timings = alternate(contestants, rounds=rounds, warm_up=2)
    peer = timings["torchinfo"]
    print(f"the report of resnet50 with text, {torch.get_num_threads()} threads:")
    figures: dict[str, Any] = {"torchinfo_s": peer.median}
    print(f"  torchinfo, torchvision's module   {peer.median * 1e3:7.1f} ms")
    for name, allowed in ALLOWED.items():
        found = ratio(timings[name], peer)
        fine = "yes" if found.median <= allowed else "NO"
        print(
            f"  summary, {name + ' module':23} {timings[name].median * 1e3:7.1f} ms, "
            f"{found} of torchinfo's; at most {allowed:g}: {fine}"
        )
        figures[name] = {"median_s": timings[name].median, "ratio": found.median}
    found_, expected = (
        table.totals.multiply_adds for table in (summary(plain, SHAPE), summary(own))
    )
    assert found_ == expected
    report("analysis", {"rounds": rounds, **figures}, json)
