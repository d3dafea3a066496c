"""The section on the gradients during training."""

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
    """Return the drawing of the gradients and their problems; None if not measured."""
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
    return Section("gradients", finding=words, troubles=troubles(watch), flow=flow)


def finding(watch: GradientWatch) -> str:
    """Return a one-sentence summary."""
    times = number_of(len(watch.epochs), "epoch")
    if watch.verdicts:
        return f"The last measurement, in epoch {watch.epochs[-1]}, found problems:"
    if any(not health.healthy for health in watch.healths):
        return f"Healthy at the end, in epoch {watch.epochs[-1]}, but not before:"
    seen = f"in all {times} that were measured" if watch.epochs[1:] else "when measured"
    return f"Healthy {seen}: gradients reached every layer, and none exploded."


def troubles(watch: GradientWatch) -> list[str]:
    """Return each problem once, as last measured, with its epochs; persisting ones first."""
    found: dict[tuple[str, str], list[tuple[int, Verdict]]] = {}
    for epoch, health in zip(watch.epochs, watch.healths, strict=True):
        for verdict in health.verdicts:
            found.setdefault((verdict.kind, verdict.layer), []).append((epoch, verdict))
    last = watch.epochs[-1]
    ordered = sorted(found.values(), key=lambda seen: seen[-1][0] != last)
    return [f"{epoch_range(seen, watch.epochs)}: {seen[-1][1]}." for seen in ordered]


def epoch_range(seen: list[tuple[int, Verdict]], epochs: list[int]) -> str:
    """Return the epochs in which a problem was found, in words."""
    first, last = seen[0][0], seen[-1][0]
    if first == last:
        return f"Epoch {first}"
    between = [epoch for epoch in epochs if first <= epoch <= last]
    often = "" if len(seen) == len(between) else f", in {len(seen)} of {len(between)} measured"
    return f"Epochs {first} to {last}{often}"
