"""What the outputs of a layer see along one axis of the network's input: exact, by position."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuropil.core.window import Reach

# So many spans are kept; what repeats later, or never, in a longer table, counts as unknown.
MOST = 10_000

# The first and the last input seen; None where an output sees nothing but padding.
Span: TypeAlias = "tuple[int, int] | None"


class Field(NamedTuple):
    """The inputs that each output sees along one axis.

    Output o = k + n·len(spans) sees the inputs of spans[k], moved by n·shift. With strides
    alone there is one span; layers that enlarge make neighbouring outputs differ, so they need
    more.

    Args:
        shift: How far the inputs move a period; ``None`` where the spans are a table of all
            outputs, since branches of different strides met; 0 where all outputs see the same.
        spans: The inputs seen by the first outputs; empty where they are not known.
        placed: Whether the place of the spans is certain: padding may depend on a free length.
    """

    shift: int | None
    spans: tuple[Span, ...]
    placed: bool = True

    @property
    def sees_all(self) -> bool:
        """Whether every output sees the same inputs: all that there is."""
        return self.shift == 0

    @property
    def size(self) -> int | None:
        """The most inputs that one output sees, gaps included; ``None`` if not known."""
        return max((last - first + 1 for first, last in filter(None, self.spans)), default=None)

    @property
    def jump(self) -> Fraction | None:
        """How far the inputs move from one output to the next, on average."""
        if self.shift is None or not (self.spans or self.sees_all):
            return None
        return Fraction(self.shift, max(len(self.spans), 1))

    def keeps_pace(self, other: Field) -> bool:
        """Tell whether both move by as much from output to output."""
        if self.shift is None or other.shift is None:
            return False
        return self.shift * len(other.spans) == other.shift * len(self.spans)

    def at(self, output: int) -> Span:
        """Return what one output sees; none if it lies outside a table."""
        if self.shift is None:
            return self.spans[output] if 0 <= output < len(self.spans) else None
        times, place = divmod(output, len(self.spans))
        return shift_span(self.spans[place], times * self.shift)

    def between(self, first: int, last: int) -> Span:
        """Return what the outputs from `first` to `last` see."""
        near = len(self.spans)
        if near == 1 and self.shift is not None and first <= last:
            span = self.spans[0]
            return span and (span[0] + first * self.shift, span[1] + last * self.shift)
        # Further inside everything repeats: what sees anything is near the ends or nowhere.
        low = (self.at(output) for output in range(first, min(last, first + near) + 1))
        high = (self.at(output) for output in range(last, max(first, last - near) - 1, -1))
        return hull((next(filter(None, low), None), next(filter(None, high), None)))


PIXEL = Field(1, ((0, 0),))


def field_after(field: Field, reach: Reach, length: int | None) -> Field:
    """Return what the outputs of a layer see, from what its inputs see.

    Args:
        field: What the layer's inputs see.
        reach: What the layer sees of its inputs.
        length: How many outputs it has along this axis; ``None`` if free.
    """
    if field.sees_all or not field.spans:
        return field
    # Of a window of F inputs with stride S and padding P, output o sees the inputs from
    # S·o − P to S·o − P + F − 1. Araujo et al. (2019) follow these two ends, u and v, back from
    # the output; here they are followed forward, so that one pass serves all layers.
    size, jump, start = reach.size, reach.jump, reach.start
    placed = field.placed and start is not None
    if start is None:
        # Padding "same": that of a length which the stride divides, the usual case.
        start = Fraction(-(max(size - jump, 0) // 2))
    if field.shift and len(field.spans) == jump.denominator == start.denominator == 1:
        # The same as below for strides alone, which most networks are made of.
        first = start.numerator
        spans = (field.between(first, first + math.ceil(size) - 1),)
        return Field(field.shift * jump.numerator, spans, placed)
    if field.shift is None:
        shift, period = None, length or 0
    else:
        # As many outputs as bring both the layer and its inputs back to where they began.
        period = jump.denominator * (near := len(field.spans)) // math.gcd(jump.numerator, near)
        shift = field.shift * (period * jump.numerator // jump.denominator) // near
    if period > MOST:
        return Field(None, (), placed)
    spans = tuple(
        field.between(*window(start + jump * output, size)) for output in range(period)
    )
    return Field(shift, spans, placed)


def window(low: Fraction, size: int | Fraction) -> tuple[int, int]:
    """Return the first and the last whole number of a window that begins at `low`."""
    first = math.ceil(low)
    # A size that is no whole number is the exact width of a window between the inputs.
    last = math.floor(low + size - 1) if isinstance(size, Fraction) else first + size - 1
    return first, last


def field_over_all(field: Field, outputs: int | None, inputs: int | None) -> Field:
    """Return what a layer sees each output of which sees all that its inputs see.

    Args:
        field: What the layer's inputs see.
        outputs: How many of these there are along this axis; ``None`` if free.
        inputs: The length of this axis of the network's input; ``None`` if free.
    """
    if field.sees_all:
        return field
    if outputs is None or inputs is None or not field.spans:
        return Field(0, () if inputs is None else ((0, inputs - 1),))
    seen = field.between(0, outputs - 1)
    return Field(0, (seen and (max(seen[0], 0), min(seen[1], inputs - 1)),), field.placed)


def union(fields: Sequence[Field], length: int | None, inputs: int | None) -> Field:
    """Return what outputs see that see several branches.

    Args:
        fields: What each branch sees.
        length: How many outputs there are along this axis; ``None`` if free.
        inputs: The length of this axis of the network's input; ``None`` if free.
    """
    first, *rest = fields
    if all(field == first for field in rest):
        return first
    placed = all(field.placed for field in fields)
    if any(field.sees_all for field in fields):
        fields = [field_over_all(field, length, inputs) for field in fields]
        known = all(field.spans for field in fields)
        return Field(0, (hull(field.spans[0] for field in fields),) if known else (), placed)
    # An output sees from the least u to the largest v of all branches. Where strides differ the
    # branches drift apart, which Araujo et al. call unaligned: only a table can hold that.
    shift, period = None, length or 0
    if not all(field.spans for field in fields):
        period = 0
    elif first.shift is not None and all(field.keeps_pace(first) for field in fields):
        # Each branch repeats after its own number of outputs, all together after the least
        # common multiple of these.
        period = math.lcm(*(len(field.spans) for field in fields))
        shift = first.shift * period // len(first.spans)
    if period > MOST:
        shift, period = None, 0
    spans = tuple(hull(field.at(output) for field in fields) for output in range(period))
    return Field(shift, spans, placed)


def hull(spans: Iterable[Span]) -> Span:
    """Return the shortest span that holds several."""
    some = [span for span in spans if span is not None]
    if not some:
        return None
    return min(first for first, _ in some), max(last for _, last in some)


def shift_span(span: Span, shift: int) -> Span:
    """Return a span further on."""
    return None if span is None else (span[0] + shift, span[1] + shift)
