"""Scaling to unit length: against torch, at zero, and refusals."""

import pytest
import torch
import torch.nn.functional as F

from neuropil.core import ShapeError
from neuropil.layers import Input, UnitNorm


@pytest.mark.parametrize("shape", [(5,), (4, 5)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_torch(shape, kind):
    generator = torch.Generator().manual_seed(0)
    x, weight = 7 * torch.randn(2, 3, *shape, generator=generator, dtype=kind)
    x.requires_grad_()
    found, expected = UnitNorm()(x), F.normalize(x, dim=-1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(3, *shape[:-1], dtype=kind))
    gradients = (torch.autograd.grad((each * weight).sum(), x) for each in (found, expected))
    torch.testing.assert_close(*gradients)


def test_a_zero_vector_stays_zero_and_its_gradient_is_finite():
    x = torch.tensor([[0.0, 0.0], [0.0, -3.0]], requires_grad=True)
    y = (Input(2) >> UnitNorm())(x)
    assert y.tolist() == [[0.0, 0.0], [0.0, -1.0]]
    (y * torch.tensor([2.0, 5.0])).sum().backward()
    assert x.grad[0].tolist() == [2.0, 5.0]
    assert x.grad[1].tolist() == pytest.approx([2 / 3, 0.0], abs=1e-6)


def test_images_are_refused():
    with pytest.raises(ShapeError, match=r"needs a vector \(D\) or a sequence .* Flatten or"):
        Input(3, 8, 8) >> UnitNorm()
