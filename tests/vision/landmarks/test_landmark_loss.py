"""The loss of landmarks, by hand and by what must not matter."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded

from neuropil.vision import decode_landmarks, landmark_loss

SIZE = (32, 64)


def test_places_and_visibility_are_decoded_by_hand():
    outputs = torch.tensor([[-1.0, 1.0, math.log(3), 0.5, 0.0, 0.0]])
    expected = torch.tensor([[[0.0, 32.0, 0.75], [48.0, 16.0, 0.5]]])
    torch.testing.assert_close(decode_landmarks(outputs, SIZE), expected)


@pytest.mark.parametrize("off", [0.1, 1.0, 2.4, 2.6, 20.0])
def test_the_loss_of_a_place_is_that_of_the_paper(off):
    # With w = 10 and ε = 2 pixels of a picture of 256: ours is divided by w.
    w, eps, pixels = 10, 2, off * 256 / 64
    near, joint = math.log(1 + min(pixels, w) / eps), math.log(1 + w / eps)
    expected = near if pixels < w else (pixels - w) / w + joint
    x = 2 * (30 + off) / 64 - 1
    outputs = torch.tensor([[x, 0.0, 50.0]])
    targets = torch.tensor([[[30.0, 16.0, 2.0]]])
    assert landmark_loss(outputs, targets, SIZE).item() == pytest.approx(expected, rel=1e-4)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 1000))
def test_missing_points_count_for_nothing(seed):
    draw = seeded(seed)
    outputs = torch.randn(4, 15, generator=draw, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(4, 5, 3, generator=draw, dtype=torch.float64) * 32
    targets[..., 2] = torch.randint(0, 3, (4, 5), generator=draw)
    targets[0, :, 2] = 0
    loss = landmark_loss(outputs, targets, SIZE)
    (slope,) = torch.autograd.grad(loss.sum(), outputs)
    assert loss[0] == 0
    assert loss.isfinite().all()
    missing = (targets[..., 2] == 0)[..., None].expand(4, 5, 3).flatten(1)
    assert (slope[missing] == 0).all()
    assert (slope[~missing] != 0).all()
    moved = torch.where(targets[..., 2:] == 0, 99.0, targets)
    moved[..., 2] = targets[..., 2]
    assert torch.equal(landmark_loss(outputs, moved, SIZE), loss)


def test_gradients_are_those_of_the_formula():
    outputs = torch.randn(2, 6, dtype=torch.float64, generator=seeded(0), requires_grad=True)
    targets = torch.tensor([[[3.0, 4, 2], [50, 20, 1]], [[9, 9, 1], [0, 0, 0]]]).double()
    assert torch.autograd.gradcheck(lambda x: landmark_loss(x, targets, SIZE), outputs)


def test_hidden_and_visible_points_are_told_apart():
    targets = torch.tensor([[[32.0, 16, 1], [32.0, 16, 2]]])
    right = torch.tensor([[0.0, 0, -9, 0, 0, 9]])
    assert landmark_loss(right, targets, SIZE) < 0.001
    assert landmark_loss(-right, targets, SIZE) > 0.5


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"outputs \(N, 3P\) and targets \(N, P, 3\), got"):
        landmark_loss(torch.zeros(2, 6), torch.zeros(2, 3, 3), SIZE)
