"""The Inception family: stages, small pictures, auxiliary heads, published figures."""

import pytest
import torch
from tests.reference import torchvision

from neuropil.architectures import (
    googlenet,
    inception_resnet_v2,
    inception_v3,
    inception_v4,
)
from neuropil.architectures.published.architecture_facts import facts_of
from neuropil.architectures.published.weight_transfer import layers_with_parameters
from neuropil.core import ShapeError
from neuropil.layers import BatchNorm, Dropout, GroupNorm, Swish

FAMILY = [googlenet, inception_v3, inception_v4, inception_resnet_v2]
STAGES = "stage1", "stage2", "stage3"
CHANNELS = {
    "googlenet": (480, 832, 1024),
    "inception_v3": (288, 768, 2048),
    "inception_v4": (384, 1024, 1536),
    "inception_resnet_v2": (320, 1088, 2080),
}
# Sides of the stages' pictures, as the papers have them, and for the smallest pictures.
LARGE = {"googlenet": (28, 14, 7)}
SMALL = {"googlenet": (32, 16, 8)}

each = pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
with_heads = pytest.mark.parametrize(
    "make", [googlenet, inception_v3], ids=lambda m: m.__name__
)


@pytest.fixture(autouse=True)
def _without_memory():
    with torch.device("meta"):
        yield


@each
def test_the_stages_halve_the_picture(make):
    name = make.__name__
    sides = LARGE.get(name, (35, 17, 8))
    pyramid = make().upto(*STAGES).output_shapes
    assert pyramid == tuple((c, n, n) for c, n in zip(CHANNELS[name], sides, strict=True))


@each
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_the_smallest_pictures_have_positions_left(make, channels):
    name = make.__name__
    network = make(7, input_shape=(channels, 32, 32))
    sides = SMALL.get(name, (11, 5, 2))
    pyramid = network.upto(*STAGES).output_shapes
    assert pyramid == tuple((c, n, n) for c, n in zip(CHANNELS[name], sides, strict=True))
    assert network.output_shape == (7,)


@each
def test_every_side_from_32_pixels_up_is_taken(make):
    for side in (33, 48, 63, 64, 65, 74, 75, 76, 97):
        assert make(7, input_shape=(3, side, side + 3)).output_shape == (7,)


@pytest.mark.parametrize("make", FAMILY[1:], ids=lambda make: make.__name__)
def test_a_picture_that_vanishes_is_refused(make):
    with pytest.raises(ShapeError, match="needs a height of at least"):
        make(input_shape=(3, 12, 12))


@each
def test_free_lengths_stay_free(make):
    network = make(7, input_shape=(3, None, None))
    assert network.upto("stage2").output_shape[1:] == (None, None)
    assert network.output_shape == (7,)
    assert network.eval()(torch.empty(2, 3, 80, 96)).shape == (2, 7)


@each
def test_activation_and_normalization_can_be_chosen(make):
    network = make(7, input_shape=(3, 32, 32), activation="swish", normalization=GroupNorm(8))
    kinds = {type(module) for module in network.modules()}
    assert {Swish, GroupNorm} <= kinds
    assert BatchNorm not in kinds
    usual = make(7, input_shape=(3, 32, 32))
    assert {module.eps for module in usual.modules() if isinstance(module, BatchNorm)} == {1e-3}


@with_heads
def test_auxiliary_heads_follow_the_main_output_and_share_its_trunk(make):
    for side in (32, 96):
        alone = make(7, input_shape=(3, side, side))
        network = make(7, input_shape=(3, side, side), aux_heads=True)
        heads = 2 if make is googlenet else 1
        assert network.output_shapes == ((7,),) * (1 + heads)
        names = list(network.state_dict())
        assert names[: len(alone.state_dict())] == list(alone.state_dict())
        assert len(network.eval()(torch.empty(2, 3, side, side))) == 1 + heads
        assert all(f"aux{number + 1}" in network.layers for number in range(heads))


@with_heads
def test_the_keys_name_every_layer_the_heads_last(make):
    keys = list(facts_of(make).keys["torchvision"]())
    alone, heads = (make(aux_heads=heads) for heads in (False, True))
    assert len(list(layers_with_parameters(heads))) == len(keys) == len(set(keys))
    assert keys[len(list(layers_with_parameters(alone))) - 1] == "fc"


def test_dropout_stands_before_each_classifier():
    def rates(network):
        return [layer.rate for layer in network.layers.values() if isinstance(layer, Dropout)]

    assert rates(googlenet(aux_heads=True)) == [0.2, 0.7, 0.7]
    assert rates(inception_v3()) == [0.5]
    assert rates(inception_v4()) == rates(inception_resnet_v2()) == [0.2]


@with_heads
def test_heads_and_trunk_give_the_references_outputs(make):
    library = torchvision()
    torch.manual_seed(0)
    side = 64 if make is googlenet else 299  # the least that the reference's head takes
    with torch.device("cpu"), torch.no_grad():
        options = {"aux_logits": True, "init_weights": False, "weights": None}
        theirs = getattr(library.models, make.__name__)(**options).eval()
        ours = make(input_shape=(3, side, side), aux_heads=True).eval()
        keys = facts_of(make).keys["torchvision"]()
        state = theirs.state_dict()
        for (_, layer), key in zip(layers_with_parameters(ours), keys, strict=True):
            layer.load_state_dict({k: state[f"{key}.{k}"] for k in layer.state_dict()})
        x = torch.randn(1, 3, side, side)
        theirs.training = True  # it then gives its heads too, each layer still in test mode
        expected = theirs(x)
        main, *heads = ours.scores()(x)
    torch.testing.assert_close(main, expected[0], rtol=1e-5, atol=1e-5)
    for ours_head, theirs_head in zip(heads, reversed(expected[1:]), strict=True):
        torch.testing.assert_close(ours_head, theirs_head, rtol=1e-5, atol=1e-5)
