"""Base class of networks whose units become the columns of new features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from typing_extensions import override

from neuropil.classic.base import ClassicNetwork

if TYPE_CHECKING:
    from sklearn.utils import Tags


class FeatureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassicNetwork):
    """A network that gives rows new columns, named after it, in the precision of the rows."""

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
