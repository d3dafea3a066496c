"""What the compatibility calculator says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.shape import MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.sizes.size_search import Fit, Trial, Value
    from neuropil.core.window import Window


def exact_inputs(nearest: Sequence[Fit]) -> str:
    """Return a sentence that names inputs which fit exactly."""
    inputs = ", ".join(f"input {near.input} (output {near.output})" for near in nearest)
    return f"Nearest that fit exactly: {inputs}."


def formula(window: Window, length: int) -> str:
    """Return the formula of the output with its numbers."""
    pads = padding_text(window, length)
    if window.padding == "same":
        return f"⌈{length} / {window.stride}⌉, with padding {pads}"
    return f"({length} − {window.extent} + {pads}) / {window.stride} + 1"


def padding_text(window: Window, length: int) -> str:
    """Return the zeros at the start and at the end."""
    return " + ".join(map(str, window.pads(length)))


def refusal(trial: Trial, nearest: Sequence[Fit]) -> str:
    """Return a sentence that says what comes nearest to the output wanted."""
    name = trial.unknown
    tried = [f"{name} {value_text(getattr(n, name))} gives {n.output}" for n in nearest]
    reason = ", ".join(tried) or "the filter does not fit the input"
    return f"no whole {name} gives an output of {trial.sizes['output']}: {reason}."


def told(
    trial: Trial, solutions: Sequence[Value], exact: Sequence[Value], nearest: Sequence[Fit]
) -> str:
    """Return the solutions as a sentence."""
    every = len(trial.values)
    if len(exact) == len(solutions):
        return f"{trial.unknown} = {listed(solutions, every)}."
    inexact = solutions
    if exact:
        inexact = solutions[1:] if solutions[0] == exact[0] else solutions[:-1]
    least, most = sorted(trial.fit(value).left_out for value in (inexact[0], inexact[-1]))
    left_out = least if least == most else f"{least} to {most}"
    text = f"{listed(inexact, every)} with the last {left_out} of the input left out."
    if exact:
        return f"{trial.unknown} = {listed(exact, every)} exactly, or {text}"
    return f"{trial.unknown} = {text} {exact_inputs(nearest)}"


def listed(values: Sequence[Value], every: int) -> str:
    """Return values as a list or an interval; "any" where they are all that there are."""
    first, last = value_text(values[0]), value_text(values[-1])
    if len(values) == every > 1:
        return "any"
    if values[-1] == MAX_LENGTH and len(values) > 1:
        return f"{first} or more"
    if len(values) <= 2:
        return " or ".join(map(value_text, values))
    return f"{first} to {last}"


def value_text(value: Value) -> str:
    """Return a number, or the zeros at the start and at the end."""
    if isinstance(value, tuple):
        return f"{value[0]} at the start and {value[1]} at the end"
    return str(value)
