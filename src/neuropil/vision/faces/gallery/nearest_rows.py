"""Exact search for the nearest templates, in products of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.vision.faces.gallery.face_templates import distances
from neuropil.vision.faces.gallery.matrix_file import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Queries that are compared with a chunk at once: their products fit into the cache.
MOST_QUERIES, MOST_PRODUCTS = 64, 2**18
# Products in float32 may order neighbours wrongly that differ by less than this, so a few more
# than k are compared in float64.
ROUNDING, SPARE = 1e-5, 8


def nearest_rows(
    chunks: NDArray[Any], queries: NDArray[np.float32], k: int, threshold: float, now: float
) -> list[list[tuple[int, float]]]:
    r"""Return the nearest rows of each query: their numbers and distances, nearest first.

    For unit vectors $\lVert t - q \rVert^2 = 2 - 2\, t \cdot q$, so the nearest have the
    greatest products. Of equal distances the lower row comes first.

    Args:
        chunks: Chunks of a `MatrixFile`.
        queries: Unit vectors.
        k: Most rows for a query.
        threshold: Greatest distance.
        now: Rows whose consent has ended by then are left out.

    Shape:
        (chunks,) and (N, D) → N lists
    """
    found = []
    for start in range(0, len(queries), MOST_QUERIES):
        some = queries[start : start + MOST_QUERIES]
        near = candidates(chunks, some, k + SPARE, threshold, now)
        for query, rows in zip(some, near, strict=True):
            apart = distances(templates_of(chunks, rows, len(query)), query)
            order = np.lexsort((rows, apart))
            order = order[apart[order] <= threshold][:k]
            found.append(list(zip(rows[order].tolist(), apart[order].tolist(), strict=True)))
    return found


def candidates(
    chunks: NDArray[Any], queries: NDArray[np.float32], most: int, threshold: float, now: float
) -> list[NDArray[np.int64]]:
    """Return the rows with the greatest products with each query, above what can be near."""
    templates, length = chunks["templates"][..., : queries.shape[1]], rows_of(chunks.dtype)
    least = 1 - threshold**2 / 2 - ROUNDING
    lowest = np.full((len(queries), 1), least, np.float32)
    best = [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(queries)
    start, at_once = 0, max(MOST_PRODUCTS // (len(queries) * length), 1)
    while start < len(chunks):
        # As many as were seen before: among them, few are expected to be better.
        some = templates[start : start + min(max(start, 1), at_once)]
        products = np.concatenate([queries @ each.T for each in some], axis=1)
        better = products > lowest
        for query in np.flatnonzero(better.any(1)):
            columns = np.flatnonzero(better[query])
            new = columns + start * length
            usable = chunks["until"][divmod(new, length)] > now
            rows, values = best[query]
            rows = np.concatenate([rows, new[usable]])
            values = np.concatenate([values, products[query, columns[usable]]])
            best[query] = greatest(rows, values, most)
            if len(rows) >= most:
                lowest[query] = best[query][1][-1]
        start += len(some)
    return [rows for rows, _ in best]


def greatest(
    rows: NDArray[np.int64], values: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows with the greatest values, in order; of equal ones, the lower rows."""
    if len(values) > most:
        chosen = values >= np.partition(values, -most)[-most]
        rows, values = rows[chosen], values[chosen]
    order = np.lexsort((rows, -values))[:most]
    return rows[order], values[order]


def templates_of(
    chunks: NDArray[Any], rows: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    """Return the templates of some rows."""
    if not len(rows):
        return np.empty((0, size), np.float32)
    return chunks["templates"][divmod(rows, rows_of(chunks.dtype))][:, :size]
