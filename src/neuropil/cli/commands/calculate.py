"""``neuropil calculate``."""

from typing import Annotated, Any

import typer

# Value of each size that is not given.
USUAL = {"stride": 1, "padding": "valid", "dilation": 1}
UNKNOWN = "?"


def size(help: str, usual: str = "") -> Any:  # noqa: A002 - Typer's word
    """Return an option for one size."""
    usual = f" Default: {usual}." if usual else ""
    return typer.Option(help=f"{help}.{usual}", show_default=False, metavar="N")


def calculate(
    input: Annotated[str | None, size("Input length")] = None,  # noqa: A002
    filter: Annotated[str | None, size("Filter length")] = None,  # noqa: A002
    stride: Annotated[str | None, size("Step between windows", "1")] = None,
    padding: Annotated[
        str | None,
        size("valid, same, full, the zeros at each end, or START,END", "valid"),
    ] = None,
    dilation: Annotated[str | None, size("Distance between filter taps", "1")] = None,
    output: Annotated[str | None, size("Output length")] = None,
) -> None:
    """Compute the missing size of a convolution or pooling layer.

    If input, filter and output are all given, the stride and the padding are computed. Pass a
    question mark to choose the size to compute: --dilation '?'.
    """
    from neuropil.analysis import output_size
    from neuropil.cli.console import say

    given = {
        "input": input,
        "filter": filter,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "output": output,
    }
    sizes = {name: number(name, text) for name, text in given.items() if text is not None}
    known = {name: value for name, value in sizes.items() if value != UNKNOWN}
    wanted = sizes_to_find(sizes)
    for unknown in wanted:
        others = "".join(f"with {n} {USUAL[n]}: " for n in wanted if n != unknown)
        say(f"{others}{output_size(**{**USUAL, **known, unknown: None})}")


def sizes_to_find(sizes: dict[str, Any]) -> list[str]:
    """Return the names of the sizes to compute, each from all the others.

    Raises:
        ValueError: When too many sizes are missing, or none.
    """
    asked = [name for name, value in sizes.items() if value == UNKNOWN]
    missing = [name for name in ("input", "filter", "output") if name not in sizes]
    if len(asked) + len(missing) > 1:
        lacking = " and ".join(f"--{name}" for name in [*missing, *asked])
        raise ValueError(f"only one size can be computed: give all but one of {lacking}.")
    if asked or missing:
        return asked or missing
    found = [name for name in ("stride", "padding") if name not in sizes]
    if not found:
        raise ValueError(
            "all sizes are given: leave out the one to compute, or pass '?' for it."
        )
    return found


def number(name: str, text: str) -> Any:
    """Return a size from its text: a number, a padding mode, two numbers, or ``"?"``.

    Raises:
        ValueError: When the text is none of these.
    """
    text = text.strip()
    if text == UNKNOWN:
        return text
    numbers = text.replace("(", "").replace(")", "").split(",")
    if all(part.strip().lstrip("-").isdecimal() for part in numbers):
        values = tuple(map(int, numbers))
        if len(values) == 1:
            return values[0]
        if name == "padding" and len(values) == 2:
            return values
    if name == "padding" and text in ("valid", "same", "full"):
        return text
    right = (
        "valid, same, full, a number, or START,END" if name == "padding" else "a whole number"
    )
    raise ValueError(f"--{name} must be {right}, got {text!r}.")
