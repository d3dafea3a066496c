"""Verdicts on a network's gradients: which problems its layers have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from typing_extensions import override

from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from neuropil.analysis.health.health_rows import LayerHealth

Kind: TypeAlias = Literal["not finite", "vanishing", "exploding", "dead", "saturated", "unused"]

# Gradients smaller than this share of the largest have vanished.
VANISHING = 1e-5
# Gradients explode if their norm exceeds that of the weights by this factor: a step at a
# learning rate of 0.03 would replace the weights.
EXPLODING = 30.0
# Outputs explode if they are this many times as large as the first layer's.
LARGE = 1e4
# Least share of an activation's units that are dead, or of its outputs that are saturated.
MANY = 0.5
# A unit that is active for one value in ten is silent for 32 with a probability of 3 %.
FEW_VALUES = 32
# Maximum number of layers with a line each.
NAMED = 3


class Verdict(NamedTuple):
    """One problem.

    Args:
        kind: Its kind.
        layer: The layer that shows it; empty for the network as a whole.
        text: A sentence that names the layer.
    """

    kind: Kind
    layer: str
    text: str

    @override
    def __str__(self) -> str:
        return self.text


def verdicts_of(rows: Sequence[LayerHealth], loss: float, examples: int) -> Iterator[Verdict]:
    """Yield all verdicts; where values are not finite, only that.

    Args:
        rows: The layers, in the order in which they ran.
        loss: The loss.
        examples: Number of examples in the batch.
    """
    bad = find_not_finite(rows, loss)
    if bad is not None:
        yield bad
        return
    yield from find_vanishing(rows)
    yield from find_exploding(rows)
    yield from find_worst("dead", rows, dead_share, lambda row: dead_text(row, examples))
    # The last layer may rightly be saturated: it is sure of its answer.
    yield from find_worst("saturated", rows[:-1], lambda row: row.saturated, saturated_text)
    unused = [row for row in rows if row.parameters and row.gradient is None]
    if unused:
        text = (
            f"the loss does not depend on the weights of {some_of(row.title for row in unused)}"
        )
        yield Verdict("unused", unused[0].name, text)


def find_not_finite(rows: Sequence[LayerHealth], loss: float) -> Verdict | None:
    """Return where values first became NaN or infinite, if they did."""
    for row in rows:
        if row.mean is not None and not math.isfinite(row.mean):
            text = f"{row.title} is the first layer whose output is NaN or infinite"
            return Verdict("not finite", row.name, text)
    if not math.isfinite(loss):
        return Verdict("not finite", "", f"the loss is {loss}, though all outputs are finite")
    # In the backward pass, the last layer comes first.
    for row in reversed(rows):
        if not row.finite:
            text = f"the gradient of {row.title} is NaN or infinite, the first on the way back"
            return Verdict("not finite", row.name, text)
    return None


def find_vanishing(rows: Sequence[LayerHealth]) -> Iterator[Verdict]:
    """Yield whether gradients vanish on the way back to the first layers.

    Later layers are not judged: a branch may start at zero while gradients pass beside it.
    """
    reached = [(row, row.gradient) for row in rows if row.gradient is not None]
    if not reached:
        return
    top, largest = max(reached, key=lambda pair: pair[1])
    if not largest:
        yield Verdict("vanishing", reached[0][0].name, "all gradients are zero: nothing learns")
        return
    lost: list[tuple[LayerHealth, float]] = []
    for row, gradient in reached:
        if gradient >= VANISHING * largest:
            break
        lost.append((row, gradient))
    if not lost:
        return
    row, least = min(lost, key=lambda pair: pair[1])
    if least:
        text = f"gradients vanish: {row.title}'s are {times(least / largest)} of {top.title}'s"
        if lost[1:]:
            text += f", and {len(lost)} layers get less than {times(VANISHING)}"
    else:
        text = f"no gradient reaches {some_of(row.title for row, g in lost if not g)}"
    yield Verdict("vanishing", row.name, text)


def find_exploding(rows: Sequence[LayerHealth]) -> Iterator[Verdict]:
    """Yield whether gradients are far larger than the weights, or outputs grow too much."""
    lengths = [
        (row, row.gradient * math.sqrt(row.parameters), row.weight * math.sqrt(row.parameters))
        for row in rows
        if row.gradient is not None and row.weight is not None
    ]
    gradient = math.hypot(*(each[1] for each in lengths))
    weight = math.hypot(*(each[2] for each in lengths))
    if weight and gradient > EXPLODING * weight:
        row = max(lengths, key=lambda each: each[1])[0]
        ratio = times(gradient / weight)
        text = f"gradients explode: in all {ratio} times the weights, most in {row.title}"
        yield Verdict("exploding", row.name, text)
    sizes = [(row, row.size) for row in rows if row.size]
    if not sizes:
        return
    first, small = sizes[0]
    row, large = max(sizes, key=lambda pair: pair[1])
    if large > LARGE * small:
        ratio = times(large / small)
        text = f"outputs explode: {row.title}'s are {ratio} times those of {first.title}"
        yield Verdict("exploding", row.name, text)


def find_worst(
    kind: Literal["dead", "saturated"],
    rows: Sequence[LayerHealth],
    share: Callable[[LayerHealth], float | None],
    text: Callable[[LayerHealth], str],
) -> Iterator[Verdict]:
    """Yield the layers with a large share of something, largest first; the rest in one line.

    Args:
        kind: Kind of the verdict.
        rows: The layers.
        share: Returns a layer's share; None where it does not apply.
        text: Returns the sentence about a layer.
    """
    shares = [(found, row) for row in rows if (found := share(row) or 0.0) >= MANY]
    bad = [row for _, row in sorted(shares, key=lambda pair: -pair[0])]
    for row in bad[:NAMED]:
        yield Verdict(kind, row.name, text(row))
    if rest := bad[NAMED:]:
        line = f"half or more are also {kind} in {some_of(row.title for row in rest)}"
        yield Verdict(kind, rest[0].name, line)


def dead_share(row: LayerHealth) -> float | None:
    """Return the share of dead units; None where there are too few values to tell."""
    if not row.units or row.dead is None or row.values < FEW_VALUES:
        return None
    return row.dead / row.units


def dead_text(row: LayerHealth, examples: int) -> str:
    """Return the sentence about dead units."""
    text = f"{row.title}: {row.dead} of {row.units} units never fire"
    if row.dead == row.units:
        text = f"{row.title}: none of its {row.units} units fires"
    return f"{text} on any of these {examples} examples"


def saturated_text(row: LayerHealth) -> str:
    """Return the sentence about saturated outputs."""
    return (
        f"{row.title}: {row.saturated:.0%} of its outputs are saturated, where hardly any "
        f"gradient passes"
    )


def times(ratio: float) -> str:
    """Return a ratio in its usual notation.

    Example:
        >>> times(4.1e-6), times(23456.0), times(1e-5), times(130.0)
        ('4·10⁻⁶', '2·10⁴', '10⁻⁵', '130')
    """
    if 0.01 <= ratio < 9999.5:
        return f"{ratio:.3g}"
    digit, exponent = f"{ratio:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digit == "1" else f"{digit}·10{raised}"
