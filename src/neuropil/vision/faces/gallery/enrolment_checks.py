"""Checks of names, consent notes and dates of expiry."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, date, datetime, time, timedelta

from neuropil.checks import shown
from neuropil.text import visible

LONGEST_NAME, LONGEST_NOTE = 200, 10_000


def check_name(name: object) -> str:
    r"""Return a name in the form in which it is stored.

    Unicode is composed (NFC), and white space becomes one space between words.

    Raises:
        ValueError: If it is not printable text of 1 to 200 characters.

    Example:
        >>> check_name(" Jose\u0301  Ruiz") == "Jos\xe9 Ruiz"
        True
    """
    if isinstance(name, str):
        plain = " ".join(unicodedata.normalize("NFC", name).split())
        if plain == visible(plain) and 0 < len(plain) <= LONGEST_NAME:
            return plain
    raise ValueError(
        f"a name must be printable text of 1 to {LONGEST_NAME} characters, got {shown(name)}."
    )


def check_consent(note: object) -> str:
    """Return a consent note.

    Raises:
        ValueError: If it is not printable text of 1 to 10,000 characters.
    """
    if isinstance(note, str):
        plain = unicodedata.normalize("NFC", note).strip()
        if plain == visible(plain) and 0 < len(plain) <= LONGEST_NOTE:
            return plain
    raise ValueError(
        f"`consent` must be text of 1 to {LONGEST_NOTE:,} characters that tells who agreed to "
        f"what and when, got {shown(note)}."
    )


def check_expiry(expires: date | str | None, now: float) -> float | None:
    """Return the seconds since 1970 at which a consent ends, None for no end.

    Args:
        expires: A date, which counts until it ends; or a moment. UTC unless it names a zone.
        now: The seconds since 1970 now.

    Raises:
        ValueError: If it is not a date, or is over.

    Example:
        >>> check_expiry("1970-01-02", now=0) == check_expiry("1970-01-03T01:00+01:00", now=0)
        True
    """
    if expires is None:
        return None
    try:
        seconds = end_of(expires).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"`expires` must be a date such as '2030-12-31', got {shown(expires)}."
        ) from None
    if seconds <= now:
        raise ValueError(f"the consent expired at {iso(seconds)}.")
    return seconds


def end_of(expires: date | str) -> datetime:
    """Return the moment at which a consent ends."""
    if isinstance(expires, str):
        try:
            expires = date.fromisoformat(expires.strip())
        except ValueError:
            expires = datetime.fromisoformat(expires.strip())
    if isinstance(expires, datetime):
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    return datetime.combine(expires + timedelta(days=1), time(), UTC)


def iso(seconds: float) -> str:
    """Return a moment in UTC as ISO 8601 text, to the second.

    Example:
        >>> iso(86400.5)
        '1970-01-02T00:00:00Z'
    """
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=math.floor(seconds))
    return moment.isoformat().replace("+00:00", "Z")
