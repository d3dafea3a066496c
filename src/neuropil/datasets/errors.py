"""What goes wrong with data, said in one line."""

from __future__ import annotations


class DataError(ValueError):
    """Data that cannot be used; the message says what, where, and what would be right."""


class MissingDataError(DataError, FileNotFoundError):
    """There is no such file or folder."""
