"""Group convolution beside a plain one of equal width: folded, as it is, in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from benchmarks.timing import alternate, ratio, report, timed
from neuropil.layers import GroupConvolution, Input

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED = 1.05
# Seconds that one timing should take at least.
LONG_ENOUGH = 2e-3

# Group, channels and filters in one orientation, side of the picture, batch.
CASES = {
    "p4 lifting, 3 → 16·4 channels, 32×32, batch 16": ("p4", 3, 16, 32, 16),
    "p4, 10·4 → 10·4, 28×28, batch 8": ("p4", 10, 10, 28, 8),
    "p4, 32·4 → 32·4, 14×14, batch 8": ("p4", 32, 32, 14, 8),
    "p4m, 16·8 → 16·8, 14×14, batch 8": ("p4m", 16, 16, 14, 8),
    "p4m, 16·8 → 16·8, 14×14, batch 1": ("p4m", 16, 16, 14, 1),
}


def main(json: str | None = None, rounds: int = 100) -> None:
    """Print the paired ratios of each case; the folded one is held to its bound."""
    torch.set_num_threads(1)
    figures = {name: case(name, rounds, *options) for name, options in CASES.items()}
    report("group_convolution", {"rounds": rounds, "cases": figures}, json)


def case(
    name: str, rounds: int, group: str, channels: int, filters: int, side: int, batch: int
) -> dict[str, Any]:
    lifted = () if "lifting" in name else (4 if group == "p4" else 8,)
    layer = GroupConvolution(filters, 3, group=group, padding=1)
    Input(channels, *lifted, side, side) >> layer
    ours = layer.eval()
    weights = ours.to_convolution()
    plain = nn.Conv2d(weights.weight.shape[1], weights.filters, 3, padding=1)
    plain.load_state_dict(weights.state_dict())
    x = torch.randn(batch, channels, *lifted, side, side)
    flat = x.flatten(1, -3)
    figures = {}
    with torch.no_grad():
        assert torch.allclose(ours(x).flatten(1, 2), plain(flat), atol=1e-5)
        figures["expanded each time"] = paired(lambda: plain(flat), lambda: ours(x), rounds)
        ours.fold()
        assert torch.allclose(ours(x).flatten(1, 2), plain(flat), atol=1e-5)
        figures["folded"] = paired(lambda: plain(flat), lambda: ours(x), rounds)
    ours.train()
    figures["training step"] = paired(stepper(plain, flat), stepper(ours, x), rounds)
    print(name)
    for what, (median, low, high) in figures.items():
        verdict = "TOO SLOW" if what == "folded" and median > ALLOWED else ""
        print(f"  {what:18} ratio {median:.3f} [{low:.3f}, {high:.3f}]   {verdict}")
    return figures


def stepper(module: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return a forward and backward pass, to the inputs as well."""
    x = x.clone().requires_grad_()

    def step() -> None:
        x.grad = None
        module.zero_grad()
        module(x).sum().backward()

    return step


def paired(
    plain: Callable[[], object], ours: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Return the median paired ratio and its interval."""
    plain()
    repetitions = max(1, round(LONG_ENOUGH / timed(plain, 3)))
    runs = {"plain": plain, "group": ours}
    timings = alternate(runs, rounds=rounds, repetitions=repetitions, warm_up=5)
    result = ratio(timings["group"], timings["plain"])
    return result.median, result.low, result.high
