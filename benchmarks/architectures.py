"""The zoo beside torchvision's modules, equal weights: forward, training step, building."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from benchmarks.timing import alternate, ratio, report
from neuropil import architectures
from neuropil.architectures import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

ALLOWED = 1.02
# Ours, what torchvision calls it and its options, and the batch for a CPU.
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "resnet18": ("resnet18", {}, 4),
    "resnet50": ("resnet50", {}, 2),
    "vgg16": ("vgg16", {}, 1),
    "squeezenet": ("squeezenet1_0", {}, 4),
    "densenet121": ("densenet121", {}, 2),
    "googlenet": ("googlenet", {"init_weights": True, "aux_logits": False}, 4),
}


def main(
    json: str | None = None, rounds: int = 15, only: str = "", side: int = 224, threads: int = 1
) -> None:
    """Time each network beside torchvision's.

    Args:
        json: Where figures go.
        rounds: How often each is timed.
        only: One architecture; all by default.
        side: Of the pictures.
        threads: Of the processor.
    """
    torch.set_num_threads(threads)
    models = torchvision().models
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    figures: dict[str, Any] = {}
    for name in filter(None, [only]) if only else CASES:
        figures[name] = compared(models, name, device, rounds, side)
    report("architectures", {"rounds": rounds, "side": side, **figures}, json)


def compared(
    models: ModuleType, name: str, device: torch.device, rounds: int, side: int
) -> dict[str, Any]:
    """Time one network beside torchvision's, and print the ratios."""
    theirs_name, options, batch = CASES[name]
    make = {
        "ours": getattr(architectures, name),
        "theirs": lambda: getattr(models, theirs_name)(weights=None, **options),
    }
    built = alternate(make, rounds=3)
    ours, theirs = make["ours"]().to(device), make["theirs"]().to(device)
    load_weights(ours, theirs.state_dict(), getattr(architectures, name))
    batch *= 16 if device.type == "cuda" else 1
    x = torch.randn(batch, 3, side, side, device=device)
    print(f"{name}, batch {batch}, {side} px, {device.type}:")
    building = built["ours"].minimum / built["theirs"].minimum
    print(f"  building  {built['ours'].minimum:.3f} s, {building:.2f} of torchvision's")
    figures: dict[str, Any] = {"build": building}
    scores = ours.scores()
    for what, kind in (("forward", forward), ("training", training_step)):
        runs = {"ours": kind(scores, x), "theirs": kind(theirs, x)}
        timings = alternate(runs, rounds=rounds, warm_up=2)
        found = ratio(timings["ours"], timings["theirs"])
        met = "yes" if found.median <= ALLOWED else "NO"
        print(
            f"  {what:9} {timings['ours'].median * 1e3:8.1f} ms, ratio {found}, "
            f"minima {timings['ours'].minimum / timings['theirs'].minimum:.3f}, within "
            f"{ALLOWED}: {met}"
        )
        figures[what] = {"ratio": found.median, "low": found.low, "high": found.high}
    return figures


def forward(module: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    """Return what runs a module in test mode."""
    settle = synchronize(x.device)

    def run() -> None:
        module.eval()
        with torch.inference_mode():
            module(x)
        settle()

    return run


def training_step(module: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    """Return what runs a module forward and backward in training mode."""
    targets = torch.arange(len(x), device=x.device) % 1000
    settle = synchronize(x.device)

    def run() -> None:
        module.train()
        module.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(module(x), targets).backward()
        settle()

    return run


def synchronize(device: torch.device) -> Callable[[], None]:
    """Return what waits for a device."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


def torchvision() -> ModuleType:
    """Return torchvision, whose compiled part need not load."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("torchvision")
