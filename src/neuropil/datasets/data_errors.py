"""Errors about data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class DataError(ValueError):
    """Data that cannot be used; the message says what, where, and what would be right."""


class MissingDataError(DataError, FileNotFoundError):
    """The file or folder does not exist."""


@contextmanager
def adding_notes(notes: Sequence[str]) -> Iterator[None]:
    """Append the notes to a `DataError` raised inside, since they may explain it.

    Args:
        notes: Notes for the user, which the code inside may extend.

    Raises:
        DataError: If one was raised inside.
    """
    try:
        yield
    except DataError as error:
        if not notes:
            raise
        raise type(error)(" ".join([str(error), *notes])) from None
