"""The main figure on a line: where it lies between guessing and perfect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.report.html import Html, element
from neuropil.report.wording import figure_text, is_share

if TYPE_CHECKING:
    from neuropil.report.evidence import Figure


def strip(name: str, figure: Figure, guess: float) -> Html:
    """Return a line with the figure, its interval, and what guessing gives.

    Args:
        name: The metric: a share, R², or an error whose best is 0.
        figure: Its value and interval.
        guess: What the best constant answer gives.
    """
    end = 1.0 if is_share(name) or name == "r2" else max(guess, figure.high) or 1.0
    left, right = (place(value, end) for value in (figure.low, figure.high))
    middle, guessed = place(figure.value, end), place(guess, end)
    marks = (
        mark("guess", guessed, f"guessing {figure_text(name, guess)}"),
        element("span", class_="range", style=f"left:{left:.1f}%;width:{right - left:.1f}%"),
        mark("dot", middle, f"this network {figure_text(name, figure.value)}"),
    )
    said = (
        f"Guessing the same each time gives {figure_text(name, guess)}, this network "
        f"{figure_text(name, figure.value)}, on a scale from {figure_text(name, 0)} to "
        f"{figure_text(name, end)}."
    )
    return element("div", marks, class_="strip", role="img", aria_label=said)


def place(value: float, end: float) -> float:
    """Return where a value lies on the line, in per cent."""
    return 100 * min(max(value / end, 0.0), 1.0)


def mark(kind: str, where: float, text: str) -> Html:
    """Return a mark whose text stays within the line at both ends."""
    side = "from" if where < 15 else "to" if where > 85 else "over"
    words = element("span", text, class_=side)
    return element("span", words, class_=kind, style=f"left:{where:.1f}%")
