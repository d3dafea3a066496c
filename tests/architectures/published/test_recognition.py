"""Which architecture the weights in a file belong to."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from neuropil.architectures import densenet121, resnet18
from neuropil.architectures.published.recognition import recognise


@pytest.mark.parametrize("build", [resnet18, densenet121])
def test_published_names_tell_the_architecture(build, tmp_path):
    for name, keys in build.facts.keys.items():
        path = tmp_path / f"{name}.npz"
        np.savez(path, **{f"{key}.weight": np.zeros(1, np.float32) for key in keys()})
        assert recognise(path) == build.__name__


def test_other_names_and_what_is_not_a_file_tell_none(tmp_path):
    save_file({"first.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    assert recognise(tmp_path / "other.safetensors") is None
    assert recognise("imagenet") is None
