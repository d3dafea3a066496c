"""The contrastive loss: by hand, against its formula, its gradient, and refusals."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuropil.vision import contrastive_loss

SAME = torch.tensor([True, False, True, False, False])


def draw(seed, kind=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 5, 4, generator=generator, dtype=kind) / 2


def test_values_by_hand():
    first, second = torch.zeros(3, 2), torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.3, 0.4]])
    same = torch.tensor([1, 0, 0])
    assert contrastive_loss(first, second, same).tolist() == [12.5, 0.0, 0.125]
    assert contrastive_loss(first, second, same, margin=7)[:2].tolist() == [12.5, 2.0]


@given(st.integers(0, 99), st.floats(0.1, 3))
def test_values_are_those_of_the_formula(seed, margin):
    first, second = draw(seed)
    found = contrastive_loss(first, second, SAME, margin=margin).tolist()
    for i, y in enumerate(SAME.tolist()):
        d = sum(
            (a - b) ** 2 for a, b in zip(first[i].tolist(), second[i].tolist(), strict=True)
        )
        d = d**0.5
        assert found[i] == pytest.approx((y * d**2 + (1 - y) * max(margin - d, 0) ** 2) / 2)


@given(st.integers(0, 99), st.permutations(range(5)))
def test_the_order_of_pairs_and_of_a_pair_does_not_matter(seed, order):
    first, second = draw(seed)
    found = contrastive_loss(first, second, SAME)
    assert torch.equal(contrastive_loss(second, first, SAME), found)
    assert torch.equal(contrastive_loss(first[order], second[order], SAME[order]), found[order])


def test_labels_may_be_booleans_integers_or_floats():
    first, second = draw(0, torch.float32)
    expected = contrastive_loss(first, second, SAME)
    for kind in (torch.int64, torch.uint8, torch.float32, torch.float16):
        assert torch.equal(contrastive_loss(first, second, SAME.to(kind)), expected)
    assert contrastive_loss(first[:0], second[:0], SAME[:0]).shape == (0,)


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_the_gradient_is_that_of_finite_differences(margin):
    pairs = [each.requires_grad_() for each in draw(3)]
    assert torch.autograd.gradcheck(lambda *a: contrastive_loss(*a, SAME, margin=margin), pairs)


def test_equal_embeddings_have_no_gradient():
    first = torch.ones(5, 3, requires_grad=True)
    contrastive_loss(first, torch.ones(5, 3), SAME).sum().backward()
    assert first.grad.tolist() == [[0.0] * 3] * 5


def test_half_precision_is_computed_in_float32():
    first, second = draw(4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = contrastive_loss(first, second, SAME)
    assert found.dtype == torch.float32
    assert torch.equal(found, contrastive_loss(first.float(), second.float(), SAME))


def test_what_does_not_fit_is_refused():
    first, second = draw(0)
    for wrong, message in [
        ((first, second[:, :2], SAME), r"needs first and second of one shape \(N, D\), got"),
        ((first[0], second[0], SAME), r"got \(4,\) and \(4,\)"),
        ((first, second, SAME[:4]), r"a label for each of 5 pairs, shape \(5,\), got \(4,\)"),
        ((first, second, SAME[None]), r"got \(1, 5\)"),
        ((first, second, SAME * 2), "that of pair 0 is 2"),
        ((first, second, SAME / 2), "true or false, 1 or 0; that of pair 0 is 0.5"),
        ((first, second, SAME * float("nan")), "that of pair 0 is nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            contrastive_loss(*wrong)
    for margin in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="contrastive_loss: margin must be a number in"):
            contrastive_loss(first, second, SAME, margin=margin)
