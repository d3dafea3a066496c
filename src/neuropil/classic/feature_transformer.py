"""Base class of the networks whose units are output features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from typing_extensions import override

from neuropil.classic.base import ClassicNetwork

if TYPE_CHECKING:
    from sklearn.utils import Tags


class FeatureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassicNetwork):
    """A transformer whose output columns are named after it and keep the input's precision."""

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
