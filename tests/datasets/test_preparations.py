"""The public names of the preparations load every kind."""

from neuropil import datasets
from neuropil.datasets import preparations
from neuropil.datasets.preparation import KINDS


def test_whoever_asks_for_one_can_read_all():
    assert datasets.Preparation is preparations.Preparation
    assert {kind.__name__ for kind in KINDS.values()} < set(preparations.__all__)
