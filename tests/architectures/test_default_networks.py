"""The default networks: pictures of any size, and tables with a linear path."""

import pytest
import torch

from neuropil import ShapeError
from neuropil.architectures import dense, varied_convolutional
from neuropil.core import Network
from neuropil.layers import Linear, Sigmoid


def with_drawn_statistics(masked: bool):
    """Return a network with means and shifts that turn padding into something else."""
    network = varied_convolutional((1, None, None), 5, masked=masked)
    network.inputs[0].set_normalization(100.0, 50.0)
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if "batchnorm" in name and value.is_floating_point():
            value.data.uniform_(0.5, 1.5)
    return network.eval()


def test_a_picture_has_one_output_alone_and_padded_in_a_batch():
    network = with_drawn_statistics(masked=True).double().scores()
    sizes = [(1, 1), (20, 90), (33, 47), (64, 64), (7, 15)]
    pictures = [torch.rand(1, 1, *size).double() * 255 for size in sizes]
    batch, mask = torch.zeros(5, 1, 64, 96).double(), torch.zeros(5, 64, 96, dtype=torch.uint8)
    for number, (height, width) in enumerate(sizes):
        batch[number, :, :height, :width] = pictures[number][0]
        mask[number, :height, :width] = 1
    together = network(batch, mask)
    for number, picture in enumerate(pictures):
        alone = network(picture, torch.ones(1, *picture.shape[2:], dtype=torch.uint8))
        torch.testing.assert_close(together[number : number + 1], alone, rtol=1e-9, atol=1e-9)


def test_without_a_mask_it_takes_any_size():
    network = with_drawn_statistics(masked=False)
    assert network.input_shapes == ((1, None, None),)
    for size in ((1, 1), (16, 16), (50, 9)):
        assert network(torch.rand(2, 1, *size)).shape == (2, 5)


def test_what_is_no_image_is_refused():
    with pytest.raises(ShapeError, match=r"takes images \(C, H, W\), got \(4\)"):
        varied_convolutional((4,), 5)


@pytest.mark.parametrize("last", [3, Linear(1), Sigmoid(2)])
def test_a_linear_path_survives_being_saved_and_written(last, tmp_path):
    network = dense((2, 2), last, hidden=(5, 4), dropout=0.1, linear_path=True)
    x = torch.rand(6, 2, 2)
    for again in (
        Network.parse(repr(network)),
        Network.load(network.save(tmp_path) or tmp_path),
    ):
        assert repr(again) == repr(network)
    assert torch.equal(again.predict(x), network.predict(x))
    assert "linear_path" in str(network.summary())


def test_a_linear_path_is_all_there_is_at_first():
    network = dense((4,), 3, linear_path=True)
    x = torch.rand(6, 4)
    linear = network.linear_path
    torch.testing.assert_close(network(x), (x @ linear.weight.T + linear.bias).softmax(1))
    assert dense((4,), 3, hidden=(), linear_path=True).output_shape == (3,)
