"""What goes wrong with data, said in one line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class DataError(ValueError):
    """Data that cannot be used; the message says what, where, and what would be right."""


class MissingDataError(DataError, FileNotFoundError):
    """There is no such file or folder."""


@contextmanager
def recalling(notes: Sequence[str]) -> Iterator[None]:
    """Add the notes to an error inside: what was set aside may be why it came to that.

    Args:
        notes: Lines that may be added to inside.

    Raises:
        DataError: If one was raised inside.
    """
    try:
        yield
    except DataError as error:
        if not notes:
            raise
        raise type(error)(" ".join([str(error), *notes])) from None
