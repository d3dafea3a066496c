"""The one-object case of detection."""

import math

import pytest
import torch

from neuropil.vision import decode_location, localisation_loss

SIZE = (60, 80)
BOX = [20.0, 15.0, 60.0, 45.0, 1.0]


def test_it_is_worked_by_hand():
    outputs = torch.tensor([[0.5, 0.0, 0.0, 0.0, 0.0, 2.0, 1.0]])
    targets = torch.tensor([[[20.0, 15.0, 60.0, 30.0, 1.0]]])
    # The lower half is missing: IoU ½, centres 7.5 apart, the hull 40 × 30.
    aspect = 4 / math.pi**2 * (math.atan(40 / 15) - math.atan(40 / 30)) ** 2
    ciou = 0.5 - 7.5**2 / 50**2 - aspect**2 / (0.5 + aspect)
    expected = math.log(1 + math.exp(-0.5)) + 4 * (1 - ciou) + math.log(1 + math.e)
    assert localisation_loss(outputs, targets, SIZE, box=4).item() == pytest.approx(expected)


def test_where_there_is_no_object_its_box_and_class_do_not_matter():
    outputs = torch.randn(1, 7, generator=torch.Generator().manual_seed(0))
    other = torch.cat((outputs[:, :1], -3 * outputs[:, 1:]), dim=1).requires_grad_()
    nothing = torch.full((1, 1, 5), -1.0)
    loss = localisation_loss(other, nothing, SIZE)
    assert torch.equal(loss, localisation_loss(outputs, nothing, SIZE))
    loss.sum().backward()
    assert other.grad is not None
    assert other.grad.isfinite().all()
    assert not other.grad[:, 1:].any()


def test_the_box_is_found_by_descent_and_decoded_in_pixels():
    outputs = torch.zeros(1, 7, requires_grad=True)
    targets = torch.tensor([[[3.0, 40.0, 15.0, 58.0, 1.0]]])
    optimizer = torch.optim.Adam([outputs], lr=0.1)
    for _ in range(200):
        loss = localisation_loss(outputs, targets, SIZE).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = decode_location(outputs.detach(), SIZE)[0]
    assert found[1:5].tolist() == pytest.approx([3, 40, 15, 58], abs=0.5)
    assert found[0] > 0.95
    assert found[5:].argmax() == 1
    assert found[5:].sum().item() == pytest.approx(1)


def test_gradients_are_those_of_finite_differences():
    outputs = torch.randn(2, 7, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[BOX], [[-1.0] * 5]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda o: localisation_loss(o, targets, SIZE, box=0.0), outputs
    )
