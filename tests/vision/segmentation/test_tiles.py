"""Tiles of large pictures: without a seam, and refused where that cannot be."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.architectures import unet
from neuropil.layers import (
    AveragePooling,
    CellPadding,
    Convolution,
    GlobalPooling,
    Input,
    MaxPooling,
    Relu,
    SqueezeExcitation,
    Upscale,
)
from neuropil.vision import predict_in_tiles, tiles
from neuropil.vision.segmentation.segmentation_network import segmentation_network
from neuropil.vision.segmentation.tile_reach import tile_reach

FREE = (2, None, None)


def trained(network):
    """Return a network in test mode whose normalisation has seen pictures."""
    network.train()
    network(torch.rand(4, 2, 32, 32, generator=torch.Generator().manual_seed(0)))
    return network.eval()


U_NETS = [
    trained(unet(2, input_shape=FREE, depth=2, width=4, dropout=0.0, up=up))
    for up in ("deconvolution", "nearest", "bilinear")
]
SIDES = st.integers(1, 70)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.sampled_from(U_NETS), SIDES, SIDES, st.integers(8, 40))
def test_tiles_give_what_the_whole_picture_gives(network, height, width, side):
    picture = torch.rand(2, height, width, generator=torch.Generator().manual_seed(1))
    whole = network.predict(picture[None])[0]
    found = predict_in_tiles(network, picture, side=side)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-5)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SIDES, SIDES, st.integers(1, 40))
def test_each_pixel_is_kept_once(height, width, side):
    counts = np.zeros((height, width), int)
    for tile in tiles(U_NETS[0], (height, width), side=side):
        counts[tile.kept] += 1
        part = np.arange(height * width).reshape(height, width)
        assert np.array_equal(part[tile.read][tile.inside], part[tile.kept])
    assert (counts == 1).all()


def test_a_smaller_overlap_would_show(monkeypatch):
    from neuropil.vision.segmentation import tiles as module

    picture = torch.rand(2, 60, 70, generator=torch.Generator().manual_seed(1))
    whole = U_NETS[0].predict(picture[None])[0]
    reach = module.tile_reach
    monkeypatch.setattr(
        module,
        "tile_reach",
        lambda network: [own._replace(before=4, after=4) for own in reach(network)],
    )
    found = predict_in_tiles(U_NETS[0], picture, side=16)
    assert (found - whole).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["resnet20", "squeezenet"])  # with padding and without
def test_a_backbone_is_predicted_in_tiles(name):
    torch.manual_seed(0)
    network = trained(segmentation_network(2, FREE, name))
    # Larger than what an output sees, and not in whole cells.
    picture = torch.rand(2, 801, 37)
    (down, _), whole = tile_reach(network), network.predict(picture[None])[0]
    assert down.before + down.after + 64 < 801
    found = predict_in_tiles(network, picture, side=64)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-4)


def test_padding_that_depends_on_the_length_is_refused_by_name_and_cells_help():
    body = Convolution(2, 3, stride=2, padding="same") >> Upscale(2)
    with pytest.raises(ValueError, match=r"what convolution1 sees .* with CellPadding\(2\)\."):
        list(tiles(Input(*FREE) >> body, (50, 50)))
    assert len(list(tiles(Input(*FREE) >> CellPadding(2) >> body, (50, 50), side=25))) == 4


def test_a_memory_map_is_read_and_written(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (2, 70, 60), dtype=np.uint8)
    picture = np.memmap(tmp_path / "in", np.uint8, "w+", shape=values.shape)
    picture[:] = values
    out = np.memmap(tmp_path / "out", np.uint8, "w+", shape=values.shape[1:])
    predict_in_tiles(
        U_NETS[0], picture, side=20, out=out, decode=lambda scores: scores.argmax(1)
    )
    whole = U_NETS[0].predict(torch.from_numpy(values)[None])[0]
    assert np.array_equal(out, whole.argmax(0).numpy())


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (unet(2, input_shape=FREE, depth=1, width=4, normalization="instance"), "InstanceNorm"),
        (unet(2, input_shape=FREE, depth=1, width=32, normalization="group"), "GroupNorm"),
        (Input(*FREE) >> Convolution(4, 1) >> SqueezeExcitation(2), "SqueezeExcitation"),
        (
            (Input(*FREE) >> Convolution(4, 1)) >> (Relu() | GlobalPooling("avg")),
            "its shapes are",
        ),
    ],
)
def test_layers_that_see_the_whole_picture_are_refused_by_name(network, name):
    with pytest.raises(ValueError, match=name):
        list(tiles(network, (50, 50)))


def test_what_is_no_map_of_the_picture_is_refused():
    for network in (
        Input(2, 20, 20) >> Convolution(2, 1),
        Input(*FREE) >> MaxPooling(2),
        Input(*FREE) >> AveragePooling(2) >> Upscale(4),
    ):
        with pytest.raises(ValueError, match=r"^tiles need a network"):
            list(tiles(network, (50, 50)))
    with pytest.raises(ValueError, match=r"one picture \(C, H, W\), got \(1, 2, 9, 9\)"):
        predict_in_tiles(U_NETS[0], torch.zeros(1, 2, 9, 9))
    with pytest.raises(ValueError, match=r"one picture \(C, H, W\), got \(2, 0, 9\)"):
        predict_in_tiles(U_NETS[0], torch.zeros(2, 0, 9))
