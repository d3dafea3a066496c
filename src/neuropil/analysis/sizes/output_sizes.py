"""The compatibility calculator: which sizes of input, filter and padding fit each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.analysis.sizes.size_search import (
    GIVEN,
    Fit,
    Paddings,
    Trial,
    Value,
    exact_inputs,
    fit,
    formula,
    padding_text,
    refusal_text,
    solution_text,
    window_of,
)
from neuropil.checks import MAX_LENGTH, whole
from neuropil.core.window import AxisPadding, axis_padding

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class OutputSize:
    """Possible values of an unknown size.

    Args:
        unknown: Name of the unknown size.
        solutions: Values that give the wanted output; empty if no whole number does.
        exact: Values for which every input is used.
        nearest: Where no value fits, or none exactly, the nearest sizes that do.
        text: The result as a sentence.
    """

    unknown: str
    solutions: Sequence[Value]
    exact: Sequence[Value]
    nearest: tuple[Fit, ...]
    text: str

    @override
    def __str__(self) -> str:
        return self.text


def output_size(
    input: int | None = None,  # noqa: A002 - the usual name
    filter: int | None = None,  # noqa: A002
    stride: int | None = 1,
    padding: AxisPadding | None = "valid",
    dilation: int | None = 1,
    output: int | None = None,
) -> OutputSize:
    """Solve the formula of a convolution's or pooling's output size for the size not given.

    Along one axis, with F' = D(F − 1) + 1,

        O = ⌊(I − F' + P_start + P_end) / S⌋ + 1,    and O = ⌈I / S⌉ for padding ``"same"``.

    Where the division leaves a remainder, the last inputs are in no window. Such solutions are
    returned, but they are not exact, and the nearest exact ones are named.

    Args:
        input: Length I of the input.
        filter: Length F of the filter.
        stride: Step S between neighbouring windows.
        padding: ``"valid"``, ``"same"``, ``"full"``, zeros P at both ends, or (start, end).
        dilation: Distance D between the filter's taps.
        output: Length O of the output. Exactly one of the six must be ``None``: the unknown.

    Raises:
        ValueError: When a value is not a whole number from 1, or not exactly one is unknown.

    Example:
        >>> output_size(input=32, filter=5, stride=2, padding="same").solutions
        (16,)
        >>> print(output_size(input=32, filter=5, stride=2))
        output = 14: (32 − 5 + 0 + 0) / 2 + 1 = 14.5 is not whole, so the last 1 of the input is
        left out. Nearest that fit exactly: input 31 (output 14), input 33 (output 15).
        >>> print(output_size(filter=5, stride=2, output=14))
        input = 31 exactly, or 32 with the last 1 of the input left out.
        >>> output_size(input=32, filter=5, padding=None, output=32).solutions
        (2,)
    """
    values = input, filter, stride, padding, dilation, output
    sizes = check_sizes(dict(zip((*GIVEN, "output"), values, strict=True)))
    (unknown,) = (name for name, value in sizes.items() if value is None)
    return output_of(sizes) if unknown == "output" else size_for_output(unknown, sizes)


def check_sizes(sizes: dict[str, Any]) -> dict[str, Any]:
    """Return the sizes, of which one is unknown and the others are valid.

    Raises:
        ValueError: When a size is invalid, or not exactly one is unknown.
    """
    unknown = [name for name, value in sizes.items() if value is None]
    if len(unknown) != 1:
        have = f"{' and '.join(unknown)} are" if unknown else "none is"
        raise ValueError(
            f"output_size: exactly one of {', '.join(sizes)} must be None, but {have}."
        )
    return {
        name: value
        if value is None
        else axis_padding(value)
        if name == "padding"
        else whole(value, f"output_size: {name}")
        for name, value in sizes.items()
    }


# The output is unknown


def output_of(sizes: dict[str, Any]) -> OutputSize:
    """Return the output for all other sizes."""
    found, window = fit(sizes), window_of(sizes)
    if not found.output:
        least = fit({**sizes, "input": window.least_length})
        text = (
            f"no output: a filter over {window.extent} does not fit an input of "
            f"{found.input} with padding {padding_text(window, found.input)}; the smallest "
            f"input is {least.input}."
        )
        return OutputSize("output", (), (), (least,), text)
    count = Fraction(found.left_out, found.stride) + found.output
    text = f"output = {found.output}: {formula(window, found.input)}"
    if found.exact:
        return OutputSize("output", (found.output,), (found.output,), (), f"{text}.")
    nearest = nearest_inputs(found)
    text += (
        f" = {float(count):g} is not whole, so the last {found.left_out} of the input "
        f"{'is' if found.left_out == 1 else 'are'} left out. {exact_inputs(nearest)}"
    )
    return OutputSize("output", (found.output,), (), nearest, text)


def nearest_inputs(found: Fit) -> tuple[Fit, ...]:
    """Return the nearest shorter and longer inputs for which every input is used."""
    sizes = asdict(found)
    shorter = found.input - found.left_out
    candidates = (
        fit({**sizes, "input": i}) for i in (shorter, shorter + found.stride) if i > 0
    )
    return tuple(candidate for candidate in candidates if candidate.exact)


# Another size is unknown


def size_for_output(unknown: str, sizes: dict[str, Any]) -> OutputSize:
    """Return the values of an unknown size that give the wanted output."""
    values: Sequence[Value] = range(1, MAX_LENGTH + 1)
    if unknown == "padding":
        # With more padding, windows would see only zeros.
        values = Paddings(range(2 * window_of({**sizes, "padding": "valid"}).extent - 1))
    trial = Trial(unknown, sizes, values)
    solutions = trial.solutions()
    if not solutions:
        nearest = trial.nearest()
        return OutputSize(unknown, (), (), nearest, refusal_text(trial, nearest))
    # The unused inputs change evenly along the solutions: none at both ends means none at all.
    ends = [value for value in (solutions[0], solutions[-1]) if trial.fit(value).exact]
    exact = solutions if len(ends) == 2 else tuple(ends)
    nearest = () if exact else nearest_inputs(trial.fit(solutions[0]))
    return OutputSize(
        unknown, solutions, exact, nearest, solution_text(trial, solutions, exact, nearest)
    )
