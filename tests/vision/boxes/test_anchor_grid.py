"""Grids of anchors: by hand, ratios, order, and refusals."""

import pytest
import torch

from neuropil.vision import anchor_grid, to_centers


def test_anchors_by_hand():
    anchors = anchor_grid((2, 3), 10, [4, (6, 2)])
    assert anchors.shape == (2, 3, 2, 4)
    assert anchors[0, 0].tolist() == [[3, 3, 7, 7], [2, 4, 8, 6]]
    assert anchors[1, 2].tolist() == [[23, 13, 27, 17], [22, 14, 28, 16]]


def test_ratios_keep_the_area_and_come_size_by_size():
    x, y, width, height = to_centers(
        anchor_grid((4, 5), 8, [16, 32], ratios=[0.5, 1, 2])
    ).unbind(-1)
    torch.testing.assert_close(
        width * height, torch.tensor([256.0] * 3 + [1024] * 3).expand(4, 5, 6)
    )
    torch.testing.assert_close(height / width, torch.tensor([0.5, 1, 2] * 2).expand(4, 5, 6))
    torch.testing.assert_close(x[0, :, 0], torch.tensor([4.0, 12, 20, 28, 36]))
    torch.testing.assert_close(y[:, 0, 0], torch.tensor([4.0, 12, 20, 28]))


def test_sizes_may_be_a_tensor():
    sizes = torch.tensor([[4.0, 2.0], [3.0, 9.0]])
    torch.testing.assert_close(to_centers(anchor_grid((1, 1), 2, sizes))[0, 0, :, 2:], sizes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 3), 8, [4]), "shape must be a whole number"),
        (((2, 3), 0, [4]), "stride must be a number in"),
        (((2, 3), 8, [4, (1, -1)]), "sizes must be a number in"),
        (((2, 3), 8, []), "at least one size and one ratio"),
    ],
)
def test_wrong_options_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^anchor_grid: {message}"):
        anchor_grid(*arguments)
    with pytest.raises(ValueError, match=r"^anchor_grid: ratios must be a number in"):
        anchor_grid((2, 3), 8, [4], ratios=[0])
