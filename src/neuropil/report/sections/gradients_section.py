"""How well gradients flowed while the network trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.plots.gradient_flow import gradient_flow
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.analysis import Verdict
    from neuropil.report.subject import Subject
    from neuropil.training import GradientWatch


def gradients_section(subject: Subject) -> Section | None:
    """Return the picture of the gradients and what is wrong with them; None if not measured."""
    watch = subject.gradients
    if watch is None or not watch.healths:
        return None
    words = finding(watch)
    flow = drawing(
        gradient_flow(watch.healths, watch.epochs),
        "gradients",
        f"The size of each layer's gradient and outputs over the epochs. {words}",
        least=560,
    )
    return Section("gradients", {"finding": words, "troubles": troubles(watch), "flow": flow})


def finding(watch: GradientWatch) -> str:
    """Return the whole in a sentence."""
    times = number_of(len(watch.epochs), "epoch")
    if watch.verdicts:
        return f"Something was wrong when it was last measured, in epoch {watch.epochs[-1]}:"
    if any(not health.healthy for health in watch.healths):
        return f"Healthy at the end, in epoch {watch.epochs[-1]}; not so before:"
    seen = f"in all {times} that were measured" if watch.epochs[1:] else "when it was measured"
    return f"Healthy {seen}: gradients reached every layer, and none exploded."


def troubles(watch: GradientWatch) -> list[str]:
    """Return each trouble once, as it was last, with its epochs; those of the end first."""
    found: dict[tuple[str, str], list[tuple[int, Verdict]]] = {}
    for epoch, health in zip(watch.epochs, watch.healths, strict=True):
        for verdict in health.verdicts:
            found.setdefault((verdict.kind, verdict.layer), []).append((epoch, verdict))
    last = watch.epochs[-1]
    ordered = sorted(found.values(), key=lambda seen: seen[-1][0] != last)
    return [f"{span(seen, watch.epochs)}: {seen[-1][1]}." for seen in ordered]


def span(seen: list[tuple[int, Verdict]], epochs: list[int]) -> str:
    """Return the epochs in which a trouble was seen, in words."""
    first, last = seen[0][0], seen[-1][0]
    if first == last:
        return f"Epoch {first}"
    between = [epoch for epoch in epochs if first <= epoch <= last]
    often = "" if len(seen) == len(between) else f", in {len(seen)} of {len(between)} measured"
    return f"Epochs {first} to {last}{often}"
