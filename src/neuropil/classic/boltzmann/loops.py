"""Contrastive divergence, compiled: a pass over the data in one call.

The weights of a few visible units stay in the fastest cache while a whole batch uses them, and
zeros are skipped: most units of an image, and most sampled units, are 0.
"""

# W are the weights (visible × hidden), b the visible and c the hidden biases. V and H hold the
# visible and hidden units, one row per example: first those of the data, then of the chains.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuropil.classic.compiled import fast
from neuropil.classic.exponential import exponential

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]

# The number of visible units whose weights are used together.
BLOCK = 16


@fast
def train_epoch(
    X: Floats,
    order: Integers,
    W: Floats,
    b: Floats,
    c: Floats,
    chains: Floats,
    lr: float,
    n_steps: int,
    persistent: bool,  # noqa: FBT001 - Numba's functions are called by position
    gaussian: bool,  # noqa: FBT001
    rng: np.random.Generator,
) -> None:
    """Pass over the data once, batch by batch; W, b, c and the chains change in place.

    Args:
        X: Data, one row per example.
        order: Rows in the order of use.
        W: Weights.
        b: Biases of visible units.
        c: Biases of hidden units.
        chains: Hidden states, one row per chain; a batch has the same number of rows.
        lr: Learning rate.
        n_steps: Gibbs steps per batch.
        persistent: Whether chains continue from batch to batch, or restart from the data.
        gaussian: Whether visible units are real numbers of variance 1, or bits.
        rng: Random generator.
    """
    size = len(chains)
    H = np.empty((2 * size, len(c)), W.dtype)
    V = np.empty((2 * size, len(b)), W.dtype)
    for start in range(0, len(order), size):
        given = min(size, len(order) - start)
        used = size if persistent else given
        for i in range(given):
            for j in range(len(b)):
                V[i, j] = X[order[start + i], j]
        # The positive phase: hidden units given the data.
        hidden_probabilities(V[:given], H[:given], W, c)
        # CD-k starts the chains from the data of this batch.
        if not persistent:
            draw_hidden(H[:given], chains, rng)
        drawn, likely = V[given : given + used], H[given : given + used]
        # The negative phase: Gibbs steps of the chains. Persistent chains never see the data
        # (Tieleman); otherwise they start from it (CD-k).
        for _ in range(n_steps):
            draw_visible(drawn, W, b, chains, gaussian, rng)
            hidden_probabilities(drawn, likely, W, c)
            draw_hidden(likely, chains, rng)
        move(V[: given + used], H, given, W, b, c, lr)


@fast
def hidden_probabilities(V: Floats, H: Floats, W: Floats, c: Floats) -> None:
    """Set H to ``σ(c + V W)``."""
    factors, rows = np.empty(BLOCK, W.dtype), np.empty(BLOCK, np.int64)
    one = W.dtype.type(1)
    for i in range(len(H)):
        for k in range(len(c)):
            H[i, k] = c[k]
    for first in range(0, len(W), BLOCK):
        for i in range(len(H)):
            count = 0
            for j in range(first, min(first + BLOCK, len(W))):
                factors[count] = V[i, j]
                rows[count] = j
                count += V[i, j] != 0
            add_rows(H, i, W, factors, rows, count)
    for i in range(len(H)):
        for k in range(len(c)):
            H[i, k] = one / (one + exponential(-H[i, k]))


@fast
def draw_hidden(H: Floats, chains: Floats, rng: Any) -> None:
    """Sample the states of the chains with the probabilities in H."""
    for i in range(len(H)):
        for k in range(H.shape[1]):
            chains[i, k] = rng.random() < H[i, k]


@fast
def draw_visible(
    V: Floats,
    W: Floats,
    b: Floats,
    chains: Floats,
    gaussian: bool,  # noqa: FBT001
    rng: Any,
) -> None:
    """Sample the rows of V given the hidden states of the chains."""
    one = W.dtype.type(1)
    sums = np.empty((len(V), BLOCK), W.dtype)
    for first in range(0, len(W), BLOCK):
        last = min(first + BLOCK, len(W))
        dot_products(W, first, last, chains, sums)
        for i in range(len(V)):
            for j in range(last - first):
                sums[i, j] += b[first + j]
            if gaussian:
                for j in range(last - first):
                    V[i, first + j] = sums[i, j] + rng.standard_normal()
            else:
                for j in range(last - first):
                    sums[i, j] = one / (one + exponential(-sums[i, j]))
                for j in range(last - first):
                    V[i, first + j] = rng.random() < sums[i, j]


@fast
def dot_products(W: Floats, first: int, last: int, chains: Floats, sums: Floats) -> None:
    """Set the sums to the products of some rows of W with each chain, eight at a time."""
    # Tiles of four rows by two chains: each number that is loaded is used several times.
    zero = W.dtype.type(0)
    for j in range(first, last, 4):
        # At the end some products are computed twice, which avoids separate loops.
        j1, j2, j3 = min(j + 1, last - 1), min(j + 2, last - 1), min(j + 3, last - 1)
        for i in range(0, len(sums), 2):
            i1 = min(i + 1, len(sums) - 1)
            p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = zero
            for k in range(W.shape[1]):
                p, q = chains[i, k], chains[i1, k]
                p0 += W[j, k] * p
                p1 += W[j1, k] * p
                p2 += W[j2, k] * p
                p3 += W[j3, k] * p
                q0 += W[j, k] * q
                q1 += W[j1, k] * q
                q2 += W[j2, k] * q
                q3 += W[j3, k] * q
            sums[i, j - first], sums[i, j1 - first] = p0, p1
            sums[i, j2 - first], sums[i, j3 - first] = p2, p3
            sums[i1, j - first], sums[i1, j1 - first] = q0, q1
            sums[i1, j2 - first], sums[i1, j3 - first] = q2, q3


@fast
def move(V: Floats, H: Floats, given: int, W: Floats, b: Floats, c: Floats, lr: float) -> None:
    """Move weights and biases towards the data, the first rows, and away from the chains."""
    factors, rows = np.empty(len(V), W.dtype), np.empty(len(V), np.int64)
    # ∂ log p / ∂W = ⟨v hᵀ⟩ of the data − ⟨v hᵀ⟩ of the model, estimated by the chains. Hidden
    # units enter with their probabilities, not their samples: the same mean with less noise.
    up, down = W.dtype.type(lr / given), W.dtype.type(-lr / (len(V) - given))
    for j in range(len(b)):
        count = 0
        for i in range(len(V)):
            factor = (up if i < given else down) * V[i, j]
            factors[count] = factor
            rows[count] = i
            count += factor != 0
            b[j] += factor
        add_rows(W, j, H, factors, rows, count)
    for i in range(len(V)):
        factor = up if i < given else down
        for k in range(len(c)):
            c[k] += factor * H[i, k]


@fast
def add_rows(
    target: Floats, i: int, source: Floats, factors: Floats, rows: Integers, count: int
) -> None:
    """Add the given rows of the source, times their factors, to row i of the target."""
    for n in range(0, count - 3, 4):
        r0, r1, r2, r3 = rows[n], rows[n + 1], rows[n + 2], rows[n + 3]
        f0, f1, f2, f3 = factors[n], factors[n + 1], factors[n + 2], factors[n + 3]
        for k in range(source.shape[1]):
            target[i, k] += (
                f0 * source[r0, k]
                + f1 * source[r1, k]
                + f2 * source[r2, k]
                + f3 * source[r3, k]
            )
    for n in range(count - count % 4, count):
        row, factor = rows[n], factors[n]
        for k in range(source.shape[1]):
            target[i, k] += factor * source[row, k]
