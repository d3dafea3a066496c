"""Run lengths against those of pycocotools."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from neuropil.vision import decode_runs, encode_runs

# Pycocotools does not know NumPy's `copy`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
SIDES = st.integers(1, 40)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 1),
    st.integers(1, 9),
    st.integers(0, 9),
)
def test_runs_are_those_of_coco(height, width, share, block, seed):
    cells = np.random.default_rng(seed).random((height, width)) < share
    mask = np.kron(cells, np.ones((block, block), bool)).astype(np.uint8)
    runs = encode_runs(mask)
    expected = coco.encode(np.asfortranarray(mask))
    assert runs == {"size": list(expected["size"]), "counts": expected["counts"].decode()}
    assert np.array_equal(decode_runs(runs), mask)
    assert np.array_equal(coco.decode(runs), mask)


def test_long_runs_and_plain_numbers():
    mask = np.zeros((3000, 700), np.uint8)
    mask[:, 500:] = 1
    assert np.array_equal(coco.decode(encode_runs(mask)), mask)
    plain = {"size": [2, 3], "counts": [1, 2, 3]}
    assert decode_runs(plain).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_runs_that_do_not_fill_the_picture_are_refused():
    with pytest.raises(ValueError, match="the runs have 5 pixels, the picture of 2×3 has 6"):
        decode_runs({"size": [2, 3], "counts": [2, 3]})
    with pytest.raises(ValueError, match=r"takes a mask \(H, W\)"):
        encode_runs(np.zeros(3))
