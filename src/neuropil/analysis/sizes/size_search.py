"""Search for an unknown size along one axis, and its result as a sentence."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from typing_extensions import override

from neuropil.checks import MAX_LENGTH
from neuropil.core import ShapeError
from neuropil.core.window import AxisPadding, Window, halves

# A number, a padding mode, or (start, end).
Value: TypeAlias = "int | str | tuple[int, int]"

# The sizes of which the output is a function.
GIVEN = ("input", "filter", "stride", "padding", "dilation")

# Up to this number, solutions are listed; more are given as an interval.
FEW = 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """Compatible sizes along one axis.

    Args:
        input: Length I of the input.
        filter: Length F of the filter.
        stride: Step S between neighbouring windows.
        padding: A mode, zeros P at both ends, or (start, end).
        dilation: Distance D between the filter's taps.
        output: Number O of windows; 0 if none fits.
        left_out: Number of inputs at the end that no window reaches.
    """

    input: int
    filter: int
    stride: int
    padding: AxisPadding
    dilation: int
    output: int
    left_out: int

    @property
    def exact(self) -> bool:
        """Whether the last window ends exactly at the end of the input."""
        return self.output > 0 and self.left_out == 0


def fit(sizes: dict[str, Any]) -> Fit:
    """Return sizes together with their output."""
    values = {name: sizes[name] for name in GIVEN}
    window, length = window_of(sizes), values["input"]
    try:
        output = cast("int", window.output_length(length))
    except ShapeError:
        return Fit(**values, output=0, left_out=0)
    used = (output - 1) * window.stride + window.extent
    left_out = 0 if window.padding == "same" else length + sum(window.pads(length)) - used
    return Fit(**values, output=output, left_out=left_out)


def window_of(sizes: dict[str, Any]) -> Window:
    """Return the window with the given sizes."""
    return Window(sizes["filter"], sizes["stride"], sizes["dilation"], sizes["padding"])


class Paddings(Sequence["int | tuple[int, int]"]):
    """Paddings by total number of zeros: one number for both ends, or (start, end) if odd.

    Args:
        totals: Total numbers of zeros.
    """

    def __init__(self, totals: range) -> None:
        self.totals = totals

    @override
    def __len__(self) -> int:
        return len(self.totals)

    @override
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Paddings(self.totals[place])
        start, end = halves(self.totals[place])
        return start if start == end else (start, end)


class Trial:
    """Search for one unknown size among all its possible values.

    Args:
        unknown: Name of the unknown size.
        sizes: All sizes.
        values: Possible values, in an order in which the output only grows or only shrinks.
    """

    def __init__(self, unknown: str, sizes: dict[str, Any], values: Sequence[Value]) -> None:
        self.unknown, self.sizes, self.values = unknown, sizes, values
        self.sign = 1 if self.fit(values[0]).output <= self.fit(values[-1]).output else -1
        wanted = self.sign * sizes["output"]
        self.start = bisect_left(values, wanted, key=self.signed_output)
        self.stop = bisect_right(values, wanted, key=self.signed_output)

    def fit(self, value: Value) -> Fit:
        """Return the sizes with one value for the unknown."""
        return fit({**self.sizes, self.unknown: value})

    def signed_output(self, value: Value) -> int:
        """Return the output with the sign that makes it grow along the values."""
        return self.sign * self.fit(value).output

    def solutions(self) -> Sequence[Value]:
        """Return the values that give the wanted output."""
        solutions = self.values[self.start : self.stop]
        return tuple(solutions) if len(solutions) <= FEW else solutions

    def nearest(self) -> tuple[Fit, ...]:
        """Return the sizes with the next smaller and the next larger output."""
        places = (
            place for place in (self.start - 1, self.start) if 0 <= place < len(self.values)
        )
        fits = (self.fit(self.values[place]) for place in places)
        return tuple(found for found in fits if found.output)


# The result as a sentence


def exact_inputs(nearest: Sequence[Fit]) -> str:
    """Return a sentence that names inputs which fit exactly."""
    inputs = ", ".join(f"input {near.input} (output {near.output})" for near in nearest)
    return f"Nearest that fit exactly: {inputs}."


def formula(window: Window, length: int) -> str:
    """Return the formula of the output with its numbers filled in."""
    pads = padding_text(window, length)
    if window.padding == "same":
        return f"⌈{length} / {window.stride}⌉, with padding {pads}"
    return f"({length} − {window.extent} + {pads}) / {window.stride} + 1"


def padding_text(window: Window, length: int) -> str:
    """Return the zeros at the start and at the end."""
    return " + ".join(map(str, window.pads(length)))


def refusal_text(trial: Trial, nearest: Sequence[Fit]) -> str:
    """Return a sentence that names the nearest possible outputs."""
    name = trial.unknown
    tried = [f"{name} {value_text(getattr(n, name))} gives {n.output}" for n in nearest]
    reason = ", ".join(tried) or "the filter does not fit the input"
    return f"no whole {name} gives an output of {trial.sizes['output']}: {reason}."


def solution_text(
    trial: Trial, solutions: Sequence[Value], exact: Sequence[Value], nearest: Sequence[Fit]
) -> str:
    """Return the solutions as a sentence."""
    every = len(trial.values)
    if len(exact) == len(solutions):
        return f"{trial.unknown} = {list_values(solutions, every)}."
    inexact = solutions
    if exact:
        inexact = solutions[1:] if solutions[0] == exact[0] else solutions[:-1]
    least, most = sorted(trial.fit(value).left_out for value in (inexact[0], inexact[-1]))
    left_out = least if least == most else f"{least} to {most}"
    text = f"{list_values(inexact, every)} with the last {left_out} of the input left out."
    if exact:
        return f"{trial.unknown} = {list_values(exact, every)} exactly, or {text}"
    return f"{trial.unknown} = {text} {exact_inputs(nearest)}"


def list_values(values: Sequence[Value], every: int) -> str:
    """Return values as a list or an interval, or "any" if they are all possible values."""
    first, last = value_text(values[0]), value_text(values[-1])
    if len(values) == every > 1:
        return "any"
    if values[-1] == MAX_LENGTH and len(values) > 1:
        return f"{first} or more"
    if len(values) <= 2:
        return " or ".join(map(value_text, values))
    return f"{first} to {last}"


def value_text(value: Value) -> str:
    """Return a size as text; a pair as the zeros at the start and at the end."""
    if isinstance(value, tuple):
        return f"{value[0]} at the start and {value[1]} at the end"
    return str(value)
