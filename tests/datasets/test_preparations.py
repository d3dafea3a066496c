"""The table of the kinds of preparation."""

from neuropil import datasets, lazy
from neuropil.datasets.preparations import KINDS


def test_every_public_kind_can_be_read_back():
    public = [name for name in lazy.public_names(datasets) if name.endswith("Preparation")]
    assert {*public} - {"Preparation"} == {name.rpartition(".")[2] for name in KINDS.values()}
    for kind, name in KINDS.items():
        assert lazy.import_name(f"neuropil.datasets.{name}").kind == kind
