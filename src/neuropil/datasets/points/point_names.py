"""Sides in the names of points: which of them swap when a picture is mirrored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuropil.text import all_of

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""A word of a name in any style: ``left_eye``, ``leftEye`` and ``L-Eye``."""
JOINED = re.compile(r"(left|right)(.+)")
"""A side written together with what it is a side of, as in ``lefteye``."""


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case.

    Example:
        >>> words_of("leftEye_2"), words_of("lefteye"), words_of("R.Ear")
        (['left', 'eye', '2'], ['left', 'eye'], ['r', 'ear'])
    """
    words = [word.casefold() for word in WORD.findall(name)]
    parts = [JOINED.fullmatch(word) for word in words]
    pairs = zip(words, parts, strict=True)
    return [part for word, found in pairs for part in (found.groups() if found else (word,))]


def side_of(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the side in a name, or ``""``, and the name's words with the side taken out.

    Only a single word for a side counts.
    """
    words = words_of(name)
    places = [place for place, word in enumerate(words) if word in SIDES]
    if len(places) != 1:
        return "", tuple(words)
    (place,) = places
    return SIDES[words[place]], (*words[:place], "", *words[place + 1 :])


def pairs_by_name(names: Sequence[str]) -> tuple[tuple[tuple[int, int], ...], str]:
    """Return the pairs (left, right) of points by their names, and why there are none.

    Points without a side, such as the nose, are their own partners. If a point with a side has
    no partner, nothing is known about any: a wrong swap would teach wrong labels.

    Args:
        names: The names of the points.

    Returns:
        The pairs of indices, and the empty text; or no pairs, and the reason.

    Example:
        >>> pairs_by_name(["left_eye", "right_eye", "nose"])
        (((0, 1),), '')
        >>> pairs_by_name(["left_eye", "nose"])
        ((), "'left_eye' has no partner on the other side")
    """
    found: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for place, name in enumerate(names):
        side, rest = side_of(name)
        if side:
            found.setdefault(rest, {}).setdefault(side, []).append(place)
    for sides in found.values():
        if len(sides) == 1:
            (places,) = sides.values()
            return (), f"{names[places[0]]!r} has no partner on the other side"
        doubled = next((places for places in sides.values() if len(places) > 1), None)
        if doubled:
            alike = all_of(repr(names[place]) for place in doubled)
            return (), f"{alike} name the same point"
    if not found:
        return (), "no name tells left from right"
    return tuple((sides["left"][0], sides["right"][0]) for sides in found.values()), ""


def eye_pairs(
    names: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs of points that belong to the eyes.

    Args:
        names: The names of the points.
        pairs: Left and right points.

    Example:
        >>> names = ["left_eye", "right_eye", "left_eyebrow", "right_eyebrow"]
        >>> eye_pairs(names, [(0, 1), (2, 3)])
        ((0, 1),)
    """
    return tuple(
        pair for pair in pairs if {"eye", "eyes", "pupil"} & {*words_of(names[pair[0]])}
    )
