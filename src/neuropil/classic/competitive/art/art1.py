"""ART1: stable categories of binary patterns, created as needed."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.competitive.art.base import ResonanceNetwork

if TYPE_CHECKING:
    from neuropil.checks import Rules
    from neuropil.classic.base import Floats


@dataclass(eq=False, repr=False)
class ART1(ResonanceNetwork):
    """Clusters of binary rows: each category has the bits common to its rows.

    Rows I and categories w consist of 0 and 1. In decreasing order of the choice
    ``|I ∧ w| / (L − 1 + |w|)``, the first category with ``|I ∧ w| / |I| ≥ ρ`` resonates and
    learns, ``w ← I ∧ w``. If none does, a new category starts as I. Weights can only lose bits,
    so the categories become stable.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        vigilance: ρ, from 0 to 1: the fraction of a row's bits that its category must have.
        step: L, above 1: the greater L, the less a category's size lowers its choice.
        n_clusters: The largest number of categories; None for no limit. A row with which none
            resonates then changes nothing and has the label −1.
        n_epochs: The largest number of passes of `fit`, which ends when a pass changes nothing.
        binarize: Values above it are 1; None takes 0 and 1, or −1 and 1, unchanged.

    Attributes:
        weights_: Categories of 0 and 1, ``(n_categories, n_features)``.
        labels_: Category of each row of the last `fit` or `partial_fit`.
        n_iter_: The number of passes of `fit`.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is out of its range, or the input is not binary where it
            must be.

    Reference:
        Carpenter, Grossberg, "A massively parallel architecture for a self-organizing neural
        pattern recognition machine", 1987, with fast learning. In ours an all-zero row, whose
        match is 0/0, resonates only with an all-zero category.

    Example:
        >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]]
        >>> network = ART1(vigilance=0.6).fit(X)
        >>> network.labels_.tolist(), network.weights_.tolist()
        ([0, 0, 1, 1], [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
        >>> network.predict([[1, 0, 0, 1]]).tolist()
        [-1]
    """

    vigilance: float = 0.7
    step: float = 2.0
    _: KW_ONLY
    n_clusters: int | None = None
    n_epochs: int = 20
    binarize: float | None = 0.0

    rules: ClassVar[Rules] = ResonanceNetwork.rules | {"step": interval("(1, inf)")}

    @override
    def consistent(self) -> bool:
        return self.weights_.shape[1] == self.n_features_in_

    @override
    def settle(self, X: Floats) -> None:
        pass

    @override
    def code(self, X: Floats) -> tuple[Floats, Floats]:
        rows = self.bits(X, self.binarize).astype(X.dtype)
        return rows, rows.sum(axis=1)

    @override
    def constants(self) -> tuple[float, float, float]:
        # On bits min(I, w) is I ∧ w, so ART1 is Fuzzy ART with α = L − 1 and β = 1, without
        # complement coding.
        return float(self.vigilance), float(self.step) - 1.0, 1.0
