"""Embeddings of any size that float64 holds are scaled to unit length."""

import numpy as np
import pytest

from neuropil.vision.faces.unit_length import unit_length


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_lengths_are_1_and_directions_stay(size):
    rows = np.random.default_rng(0).normal(size=(9, 5))
    found = unit_length(size * rows)
    assert found.dtype == np.float32
    wanted = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
