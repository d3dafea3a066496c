"""Formatting of figures: thousands separators, units for large numbers, and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

GAP = "  "
BYTES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
COUNTS = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
# A value that would round up to the next unit gets it: 999,950 is 1.00 M and not 1000 k.
ALMOST = 0.9995


def with_separators(number: int | None) -> str:
    """Return a whole number with thousands separators; an empty string for ``None``.

    Example:
        >>> with_separators(61_100_840)
        '61,100,840'
    """
    return "" if number is None else f"{number:,}"


def short_count(number: int | None) -> str:
    """Return a number with three digits and a unit.

    Example:
        >>> short_count(15_470_264_320), short_count(640)
        ('15.5 G', '640')
    """
    return "" if number is None else with_unit(number, COUNTS, "")


def memory_size(size: int | None) -> str:
    """Return a number of bytes with three digits and a unit.

    Example:
        >>> memory_size(244_403_360), memory_size(512)
        ('233 MiB', '512 B')
    """
    return "" if size is None else with_unit(size, BYTES, " B")


def with_unit(number: int, units: tuple[tuple[str, int], ...], rest: str) -> str:
    """Return a number in the largest unit that it reaches."""
    for unit, factor in units:
        value = number / factor
        if value >= ALMOST:
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
    return f"{number}{rest}"


def table_lines(table: Mapping[str, Sequence[str]], left: Container[str]) -> list[str]:
    """Return a table as lines of aligned columns, with rules below its head and below its rows.

    Args:
        table: The cells of each column by its title.
        left: Titles of the columns that are aligned to the left.
    """
    widths = [max(map(len, (title, *cells))) for title, cells in table.items()]
    head, *lines = (
        GAP.join(
            cell.ljust(size) if title in left else cell.rjust(size)
            for cell, title, size in zip(row, table, widths, strict=True)
        )
        for row in [tuple(table), *zip(*table.values(), strict=True)]
    )
    ruler = "─" * len(head)
    return [*map(str.rstrip, [head, ruler, *lines]), ruler]


def field_size(sizes: tuple[int | None, ...], *, sees_all: bool) -> str:
    """Return the size of a receptive field: one number for a square, or ``all``.

    Example:
        >>> field_size((7, 7), sees_all=False), field_size((1, None), sees_all=False)
        ('7', '1×?')
    """
    if sees_all:
        return "all"
    texts = ["?" if size is None else str(size) for size in sizes]
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)
