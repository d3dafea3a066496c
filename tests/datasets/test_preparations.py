"""Every kind of preparation is read back."""

from neuropil.datasets import preparation, preparations


def test_every_kind_is_read_back():
    kinds = preparation.Preparation.__subclasses__()
    assert sorted(kind.kind for kind in kinds) == sorted(preparations.KINDS)
    assert set(preparations.KINDS.values()) == set(kinds)
