"""The triplet loss: by hand, against torch, its gradient, and refusals."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from neuropil.vision import triplet_loss


def draw(seed, n=6, size=5, kind=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(3, n, size, generator=generator, dtype=kind), dim=2)


def test_values_by_hand():
    anchor, near, far = torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 6.0]]])
    assert triplet_loss(anchor, near, far).tolist() == [0.0]
    assert triplet_loss(anchor, near, far, margin=3).tolist() == [2.0]
    assert triplet_loss(anchor, far, near, margin=0.5).tolist() == [1.5]
    assert triplet_loss(near, near, near, margin=0.5).tolist() == [0.5]


@given(st.integers(0, 99), st.floats(0.01, 3))
def test_values_are_those_of_torch(seed, margin):
    triplets = draw(seed)
    theirs = F.triplet_margin_loss(*triplets, margin=margin, eps=1e-12, reduction="none")
    torch.testing.assert_close(triplet_loss(*triplets, margin=margin), theirs)


@given(st.integers(0, 99), st.permutations(range(6)))
def test_each_row_counts_on_its_own(seed, order):
    triplets = draw(seed)
    assert torch.equal(triplet_loss(*triplets[:, order]), triplet_loss(*triplets)[order])
    assert triplet_loss(*triplets[:, :0]).shape == (0,)


@pytest.mark.parametrize("margin", [0.2, 1.5])
def test_the_gradient_is_that_of_finite_differences(margin):
    triplets = [each.requires_grad_() for each in draw(1)]
    assert torch.autograd.gradcheck(lambda *a: triplet_loss(*a, margin=margin), triplets)


def test_equal_embeddings_have_no_gradient_of_their_own():
    anchor = torch.tensor([[0.6, 0.8]], requires_grad=True)
    negative = torch.tensor([[0.0, 0.8]], requires_grad=True)
    triplet_loss(anchor, anchor, negative, margin=1).sum().backward()
    assert anchor.grad.tolist() == [[-1.0, 0.0]]
    assert negative.grad.tolist() == [[1.0, 0.0]]
    same = torch.ones(1, 3, requires_grad=True)
    triplet_loss(same, same.clone(), same.clone()).sum().backward()
    assert same.grad.tolist() == [[0.0] * 3]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(kind):
    triplets = draw(2, kind=torch.float32).to(kind)
    expected = triplet_loss(*triplets.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = triplet_loss(*triplets)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
    far = torch.full((1, 4), 60_000.0).to(kind)
    assert triplet_loss(far, -far, far).isfinite().all()
    assert triplet_loss(*draw(2)).dtype == torch.float64


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3), (2, 4)), ((3,),) * 3, ((2, 3, 4),) * 3])
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"needs anchors, positives and negatives .*\(N, D\)"):
        triplet_loss(*map(torch.zeros, shapes))


@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf"), "wide", None])
def test_a_margin_that_is_not_above_0_is_refused(margin):
    with pytest.raises(
        ValueError, match=r"triplet_loss: margin must be a number in \(0, inf\)"
    ):
        triplet_loss(*draw(0), margin=margin)
