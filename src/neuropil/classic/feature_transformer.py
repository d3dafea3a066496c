"""Base class of the networks whose units are output features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from typing_extensions import override

from neuropil.classic.base import ClassicNetwork

if TYPE_CHECKING:
    from sklearn.utils import Tags

    from neuropil.classic.base import Floats


class FeatureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassicNetwork):
    """A transformer whose output columns are named after it and keep the input's precision."""

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def given_outputs(self, Y: Any, unit: str, dtype: Any) -> Floats:
        """Return checked outputs of a fitted network, one row per example.

        Args:
            Y: The outputs.
            unit: What the network has one column for, for the message.
            dtype: The precision, or several allowed ones.

        Raises:
            ValueError: If the number of columns is wrong.
        """
        outputs, columns = check_array(Y, dtype=dtype), self._n_features_out
        if outputs.shape[1] != columns:
            raise ValueError(
                f"{type(self).__name__}: inverse_transform needs {columns} columns, one per "
                f"{unit}, got {outputs.shape[1]}."
            )
        return outputs
