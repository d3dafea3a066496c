"""The exact receptive field of a layer's outputs along one axis of the network's input."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuropil.core.window import Reach

# Maximum number of spans stored. A field with a longer period, or a longer table, is unknown.
MOST = 10_000

# The first and last input seen; None for an output that sees only padding.
Span: TypeAlias = "tuple[int, int] | None"


class Field(NamedTuple):
    """The inputs that each output sees along one axis.

    Output o = k + n·len(spans) sees the inputs of spans[k], shifted by n·shift. If the network
    only downsamples, there is one span. Layers that upsample make neighbouring outputs differ,
    so more spans are needed.

    Args:
        shift: Shift of the inputs after one period of outputs; ``None`` where the spans are a
            table of all outputs, since branches of different strides met; 0 where all outputs
            see the same.
        spans: Inputs seen by the outputs of the first period; empty where they are not known.
        placed: Whether the position of the spans is known: padding may depend on a free length.
    """

    shift: int | None
    spans: tuple[Span, ...]
    placed: bool = True

    @property
    def sees_all(self) -> bool:
        """Whether every output sees the same inputs, namely all of them."""
        return self.shift == 0

    @property
    def size(self) -> int | None:
        """Largest number of inputs that an output sees, gaps included; ``None`` if unknown."""
        return max((last - first + 1 for first, last in filter(None, self.spans)), default=None)

    @property
    def jump(self) -> Fraction | None:
        """Average shift of the inputs from one output to the next."""
        if self.shift is None or not (self.spans or self.sees_all):
            return None
        return Fraction(self.shift, max(len(self.spans), 1))

    def has_jump_of(self, other: Field) -> bool:
        """Tell whether both fields have the same average shift per output."""
        if self.shift is None or other.shift is None:
            return False
        return self.shift * len(other.spans) == other.shift * len(self.spans)

    def at(self, output: int) -> Span:
        """Return the span of one output; ``None`` if it lies outside a table."""
        if self.shift is None:
            return self.spans[output] if 0 <= output < len(self.spans) else None
        times, place = divmod(output, len(self.spans))
        return shift_span(self.spans[place], times * self.shift)

    def between(self, first: int, last: int) -> Span:
        """Return the span of the outputs from `first` to `last` together."""
        near = len(self.spans)
        if near == 1 and self.shift is not None and first <= last:
            span = self.spans[0]
            return span and (span[0] + first * self.shift, span[1] + last * self.shift)
        # The spans are periodic: one that is not empty lies within a period of each end.
        low = (self.at(output) for output in range(first, min(last, first + near) + 1))
        high = (self.at(output) for output in range(last, max(first, last - near) - 1, -1))
        return hull((next(filter(None, low), None), next(filter(None, high), None)))


PIXEL = Field(1, ((0, 0),))


def field_after(field: Field, reach: Reach, length: int | None) -> Field:
    """Return the field of a layer's outputs, from the field of its inputs.

    Args:
        field: Field of the layer's inputs.
        reach: Window of the layer on its inputs.
        length: Number of outputs along this axis; ``None`` if free.
    """
    if field.sees_all or not field.spans:
        return field
    # A window of F inputs with stride S and padding P: output o sees the inputs from S·o − P to
    # S·o − P + F − 1. Araujo et al. (2019) follow these two ends, u and v, backwards from the
    # output; here they are followed forwards, so that one pass serves all layers.
    size, jump, start = reach.size, reach.jump, reach.start
    placed = field.placed and start is not None
    if start is None:
        # Padding "same" for a length divisible by the stride, the usual case.
        start = Fraction(-(max(size - jump, 0) // 2))
    if field.shift and len(field.spans) == jump.denominator == start.denominator == 1:
        # Shortcut for integer strides, which most networks consist of.
        first = start.numerator
        spans = (field.between(first, first + math.ceil(size) - 1),)
        return Field(field.shift * jump.numerator, spans, placed)
    if field.shift is None:
        shift, period = None, length or 0
    else:
        # The smallest number of outputs after which both the layer and its inputs repeat.
        period = jump.denominator * (near := len(field.spans)) // math.gcd(jump.numerator, near)
        shift = field.shift * (period * jump.numerator // jump.denominator) // near
    if period > MOST:
        return Field(None, (), placed)
    spans = tuple(
        field.between(*window(start + jump * output, size)) for output in range(period)
    )
    return Field(shift, spans, placed)


def window(low: Fraction, size: int | Fraction) -> tuple[int, int]:
    """Return the first and last integer in a window that begins at `low`."""
    first = math.ceil(low)
    # A fractional size is the exact width of a window that lies between the inputs.
    last = math.floor(low + size - 1) if isinstance(size, Fraction) else first + size - 1
    return first, last


def field_over_all(field: Field, outputs: int | None, inputs: int | None) -> Field:
    """Return the field of a layer each output of which depends on all of its inputs.

    Args:
        field: Field of the layer's inputs.
        outputs: Number of these inputs along this axis; ``None`` if free.
        inputs: Length of this axis of the network's input; ``None`` if free.
    """
    if field.sees_all:
        return field
    if outputs is None or inputs is None or not field.spans:
        return Field(0, () if inputs is None else ((0, inputs - 1),))
    seen = field.between(0, outputs - 1)
    return Field(0, (seen and (max(seen[0], 0), min(seen[1], inputs - 1)),), field.placed)


def union(fields: Sequence[Field], length: int | None, inputs: int | None) -> Field:
    """Return the field of outputs that depend on several branches.

    Args:
        fields: Field of each branch.
        length: Number of outputs along this axis; ``None`` if free.
        inputs: Length of this axis of the network's input; ``None`` if free.
    """
    first, *rest = fields
    if all(field == first for field in rest):
        return first
    placed = all(field.placed for field in fields)
    if any(field.sees_all for field in fields):
        fields = [field_over_all(field, length, inputs) for field in fields]
        known = all(field.spans for field in fields)
        return Field(0, (hull(field.spans[0] for field in fields),) if known else (), placed)
    # An output sees from the smallest u to the largest v of all branches. Where strides differ,
    # the branches drift apart, which Araujo et al. call unaligned: only a table can store that.
    shift, period = None, length or 0
    if not all(field.spans for field in fields):
        period = 0
    elif first.shift is not None and all(field.has_jump_of(first) for field in fields):
        # Each branch has its own period; together they repeat after the least common multiple.
        period = math.lcm(*(len(field.spans) for field in fields))
        shift = first.shift * period // len(first.spans)
    if period > MOST:
        shift, period = None, 0
    spans = tuple(hull(field.at(output) for field in fields) for output in range(period))
    return Field(shift, spans, placed)


def hull(spans: Iterable[Span]) -> Span:
    """Return the shortest span that contains several spans."""
    some = [span for span in spans if span is not None]
    if not some:
        return None
    return min(first for first, _ in some), max(last for _, last in some)


def shift_span(span: Span, shift: int) -> Span:
    """Return a span moved by a number of inputs."""
    return None if span is None else (span[0] + shift, span[1] + shift)
