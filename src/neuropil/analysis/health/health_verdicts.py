"""What is wrong with a network's gradients, in plain words."""

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
# Gradients so many times as long as the weights explode: a step at a rate of 0.03 would
# replace them.
EXPLODING = 30.0
# Outputs so many times as large as the first layer's explode.
LARGE = 1e4
# The share of an activation's units that are dead, or of its outputs that are saturated.
MANY = 0.5
# A unit that fires once in ten times is silent for so many by a chance of 3 %.
FEW_VALUES = 32
# So many layers are named one by one.
NAMED = 3


class Verdict(NamedTuple):
    """One thing that is wrong.

    Args:
        kind: What it is.
        layer: The layer that shows it; empty for the network as a whole.
        text: A sentence for people, which names the layer.
    """

    kind: Kind
    layer: str
    text: str

    @override
    def __str__(self) -> str:
        return self.text


def verdicts_of(rows: Sequence[LayerHealth], loss: float, examples: int) -> Iterator[Verdict]:
    """Yield what is wrong; where numbers are no numbers, only that.

    Args:
        rows: The layers as they ran.
        loss: The loss.
        examples: How many examples it is of.
    """
    bad = not_finite(rows, loss)
    if bad is not None:
        yield bad
        return
    yield from vanishing(rows)
    yield from exploding(rows)
    yield from worst("dead", rows, dead_share, lambda row: dead_text(row, examples))
    # What comes last may well be sure of itself.
    yield from worst("saturated", rows[:-1], lambda row: row.saturated, saturated_text)
    unused = [row for row in rows if row.parameters and row.gradient is None]
    if unused:
        text = (
            f"the loss does not depend on the weights of {some_of(row.title for row in unused)}"
        )
        yield Verdict("unused", unused[0].name, text)


def not_finite(rows: Sequence[LayerHealth], loss: float) -> Verdict | None:
    """Return where numbers first stopped being numbers, if they did."""
    for row in rows:
        if row.mean is not None and not math.isfinite(row.mean):
            text = f"{row.title} is the first layer that gives NaN or infinity"
            return Verdict("not finite", row.name, text)
    if not math.isfinite(loss):
        return Verdict("not finite", "", f"the loss is {loss}, though all outputs are finite")
    # On the way back the last layer comes first.
    for row in reversed(rows):
        if not row.finite:
            text = f"the gradient of {row.title} is NaN or infinite, the first on the way back"
            return Verdict("not finite", row.name, text)
    return None


def vanishing(rows: Sequence[LayerHealth]) -> Iterator[Verdict]:
    """Yield whether gradients are lost on the way back to the first layers.

    Only to the first: a branch may well begin at zero while gradients pass beside it.
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
        text = f"no gradient comes back to {some_of(row.title for row, g in lost if not g)}"
    yield Verdict("vanishing", row.name, text)


def exploding(rows: Sequence[LayerHealth]) -> Iterator[Verdict]:
    """Yield whether gradients dwarf the weights, and whether outputs grow on the way."""
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


def worst(
    kind: Literal["dead", "saturated"],
    rows: Sequence[LayerHealth],
    share: Callable[[LayerHealth], float | None],
    text: Callable[[LayerHealth], str],
) -> Iterator[Verdict]:
    """Yield the layers with a large share of something, the worst first, most in one line.

    Args:
        kind: Of what.
        rows: The layers.
        share: Gives a layer's share; None where it does not apply.
        text: Gives what is said of a layer.
    """
    shares = [(found, row) for row in rows if (found := share(row) or 0.0) >= MANY]
    bad = [row for _, row in sorted(shares, key=lambda pair: -pair[0])]
    for row in bad[:NAMED]:
        yield Verdict(kind, row.name, text(row))
    if rest := bad[NAMED:]:
        line = f"half or more are {kind} in {some_of(row.title for row in rest)}, too"
        yield Verdict(kind, rest[0].name, line)


def dead_share(row: LayerHealth) -> float | None:
    """Return the share of units that never fire, where there is enough to tell."""
    if not row.units or row.dead is None or row.values < FEW_VALUES:
        return None
    return row.dead / row.units


def dead_text(row: LayerHealth, examples: int) -> str:
    """Return what is said of dead units."""
    text = f"{row.title}: {row.dead} of {row.units} units never fire"
    if row.dead == row.units:
        text = f"{row.title}: none of its {row.units} units fires"
    return f"{text} on any of these {examples} examples"


def saturated_text(row: LayerHealth) -> str:
    """Return what is said of saturated outputs."""
    return (
        f"{row.title}: {row.saturated:.0%} of its outputs are saturated, where hardly any "
        f"gradient passes"
    )


def times(ratio: float) -> str:
    """Return a ratio as people write it.

    Example:
        >>> times(4.1e-6), times(23456.0), times(1e-5), times(130.0)
        ('4·10⁻⁶', '2·10⁴', '10⁻⁵', '130')
    """
    if 0.01 <= ratio < 9999.5:
        return f"{ratio:.3g}"
    digit, exponent = f"{ratio:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digit == "1" else f"{digit}·10{raised}"
