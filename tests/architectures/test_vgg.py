"""VGG: normalised variants, and pictures of other sizes."""

import pytest
import torch
from tests import reference

from neuropil.analysis import count_parameters
from neuropil.architectures import vgg11, vgg13, vgg16, vgg19
from neuropil.architectures.published.architecture_facts import facts_of
from neuropil.architectures.published.weight_transfer import layers_with_parameters


def on_meta(build, *args, **options):
    with torch.device("meta"):
        return build(*args, **options)


@pytest.mark.parametrize("build", [vgg11, vgg13, vgg16, vgg19])
def test_torchvisions_normalised_variants_have_the_same_tensors(build):
    models = reference.torchvision().models
    theirs = on_meta(getattr(models, f"{build.__name__}_bn"), weights=None).state_dict()
    ours = on_meta(build, normalization="batch")
    keys = facts_of(build).keys["torchvision_bn"]()
    for (_, layer), key in zip(layers_with_parameters(ours), keys, strict=True):
        for name, tensor in layer.state_dict().items():
            assert theirs[f"{key}.{name}"].shape == tensor.shape


def test_pictures_of_other_sizes_are_averaged_to_7_by_7_positions():
    def hidden(side):
        network = on_meta(vgg11, 5, input_shape=(1, side, side))
        return network.layers["linear1"].weight.shape[1]

    assert [hidden(side) for side in (32, 64, 224, 320)] == [49 * 512] * 4
    assert on_meta(vgg11, 5, input_shape=(3, None, None)).output_shape == (5,)


def test_stages_halve_the_picture():
    shapes = on_meta(vgg11).upto("stage1", "stage3", "stage5").output_shapes
    assert shapes == ((64, 112, 112), (256, 28, 28), (512, 7, 7))


def test_a_normalisation_adds_two_numbers_a_channel():
    plain, normalized = (
        on_meta(vgg11, input_shape=(3, 32, 32), normalization=kind) for kind in (None, "batch")
    )
    channels = 64 + 128 + 2 * 256 + 4 * 512
    assert count_parameters(normalized) - count_parameters(plain) == 2 * channels
