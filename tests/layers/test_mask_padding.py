"""Masks: a padded picture has the output of the picture alone."""

import pytest
import torch

from neuropil import Network, ShapeError, parallel
from neuropil.layers import Convolution, GlobalPooling, Input, MaskPadding, MaxPooling, Relu


@pytest.mark.parametrize("mode", ["avg", "max", "both"])
def test_pooling_with_a_mask_is_pooling_of_the_content(mode):
    x = torch.randn(2, 3, 6, 4)
    mask = torch.zeros(2, 6, 4, dtype=torch.uint8)
    mask[0, :5, :3] = mask[1, :2, :4] = 1
    pooled = GlobalPooling(mode)(x, mask)
    alone = [GlobalPooling(mode)(x[:1, :, :5, :3]), GlobalPooling(mode)(x[1:, :, :2])]
    torch.testing.assert_close(pooled, torch.cat(alone))


@pytest.mark.parametrize("mode", ["avg", "max", "both"])
def test_no_content_gives_zeros(mode):
    pooled = GlobalPooling(mode)(torch.ones(1, 3, 4, 4), torch.zeros(1, 4, 4))
    assert (pooled == 0).all()


@pytest.mark.parametrize("shape", [(16,), (16, 32), (8, 16, 8)])
def test_the_mask_follows_pooling_that_rounds_up(shape):
    for content in range(1, shape[0] + 1):
        mask = torch.zeros(1, *shape)
        mask[:, :content] = 1
        pooled = mask[:, None]
        for _ in range(3):
            pooled = MaxPooling(2, ceil_mode=True)(pooled)
            assert torch.equal(MaskPadding()(torch.ones_like(pooled), mask), pooled)


def test_padding_does_not_change_an_output_through_strides():
    mask = Input(None, None, dtype="uint8", name="mask")
    network = parallel(Input(1, None, None), mask) >> MaskPadding()
    for width in (4, 8):
        network = network >> Convolution(width, 3, padding="same") >> Relu()
        network = parallel(network, mask) >> MaskPadding() >> MaxPooling(2, ceil_mode=True)
    network = parallel(network, mask) >> GlobalPooling("both")
    for layer in network.modules():
        if isinstance(layer, Convolution):
            layer.bias.data.fill_(1.0)
    for height, width in ((1, 1), (5, 9), (12, 7)):
        picture = torch.randn(1, 1, height, width)
        padded, content = torch.full((1, 1, 16, 16), 9.0), torch.zeros(1, 16, 16)
        padded[..., :height, :width], content[..., :height, :width] = picture, 1
        alone = network(picture, torch.ones(1, height, width))
        torch.testing.assert_close(network(padded, content), alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([Input(3, 8, 8), Input(1, 8, 8, dtype="uint8")], r"needs \(C, …\) and a mask \(…\)"),
        ([Input(3, 8, 8), Input(8, 8)], "takes a mask of integers"),
        ([Input(3, 8, 8)], "takes 2 inputs, got 1"),
    ],
)
def test_what_is_no_mask_is_refused(sources, message):
    with pytest.raises(ShapeError, match=message):
        parallel(*sources) >> MaskPadding()


def test_a_mask_that_feeds_many_layers_is_listed(tmp_path):
    """Branches that cross have no expression: the printer notices, and files hold them."""
    mask = Input(None, None, dtype="uint8")
    network = parallel(Input(2, None, None), mask) >> MaskPadding() >> Convolution(2, 3)
    network = parallel(network >> Relu(), mask) >> MaskPadding() >> Convolution(2, 3)
    network = parallel(network, mask) >> GlobalPooling()
    assert "maskpadding2 = MaskPadding()(relu1, input2)" in repr(network)
    network.save(tmp_path / "network")
    given = torch.randn(1, 2, 9, 9), torch.ones(1, 9, 9)
    assert torch.equal(Network.load(tmp_path / "network")(*given), network(*given))
