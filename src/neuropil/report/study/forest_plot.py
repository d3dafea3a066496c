"""Rows of a forest plot: for each change its interval on a common scale, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.plots.theme import short_number
from neuropil.report.study.changes import seeds_in_words
from neuropil.report.study.gain_text import GainText
from neuropil.study.gain_digits import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.report.study.gain_scale import GainScale

POINTS = GainText("points", 1)
"""Writes published gains, whatever the unit of the study."""


def forest_axis(scale: GainScale, smallest: float | None) -> dict[str, Any]:
    """Return the places of the ticks, of zero and of the band of small differences."""
    ends = [scale.place(side * smallest) for side in (-1, 1)] if smallest else None
    return {
        "ticks": [
            (scale.place(tick), "+" * (tick > 0) + short_number(tick)) for tick in scale.ticks
        ],
        "zero": scale.place(0.0),
        "band": ends,
    }


def forest_row(
    row: Mapping[str, Any], scale: GainScale, text: GainText, *, shares_scale: bool = False
) -> dict[str, Any]:
    """Return the words and places of a change.

    Args:
        row: The change, as plain data.
        scale: The common scale.
        text: Writes the gains.
        shares_scale: Whether published gains have the unit of the gains here.
    """
    published = row.get("published")
    return {
        "title": row["title"],
        "group": row.get("group") or "",
        "gain": text.gain(row["gain"]),
        "interval": text.interval(row["low"], row["high"]),
        "verdict": row["verdict"],
        "kind": row["verdict"].replace(" ", "-"),
        "seeds": seeds_in_words(row),
        "published": None if published is None else POINTS.gain(published),
        "published_place": scale.place_if_shown(published) if shares_scale else None,
        **strip(row, scale),
    }


def strip(row: Mapping[str, Any], scale: GainScale) -> dict[str, Any]:
    """Return the places of a gain and its interval in percent; None where they are not known.

    The interval ends where the scale does; ``beyond_left`` and ``beyond_right`` tell whether
    it, or else the gain, goes on.
    """
    gain, low, high = row["gain"], row["low"], row["high"]
    interval = None if low is None or high is None else [low, high]
    ends = interval or ([gain] if is_known(gain) else [])
    return {
        "line": interval and [scale.place(end) for end in interval],
        "mark": scale.place_if_shown(gain),
        "beyond_left": any(end < scale.left for end in ends),
        "beyond_right": any(end > scale.right for end in ends),
    }
