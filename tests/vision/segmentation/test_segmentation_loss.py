"""Dice and cross entropy against the formula, with pixels that count for nothing."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from neuropil.vision import segmentation_loss


def drawn(classes: int = 3, count: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return scores and masks, a fifth of whose pixels count for nothing."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, classes, 6, 5, dtype=torch.float64, generator=generator)
    masks = torch.randint(0, classes, (count, 6, 5), generator=generator, dtype=torch.uint8)
    masks[torch.rand(masks.shape, generator=generator) < 0.2] = 255
    return 3 * scores, masks


def by_hand(scores: Tensor, mask: Tensor, judged: list[int]) -> Tensor:
    """Return the loss of one picture from its counted pixels."""
    pixels, true = scores.flatten(1).T[mask.flatten() != 255], mask[mask != 255].long()
    shares, own = pixels.softmax(1), F.one_hot(true, scores.shape[0])
    dice = [
        (2 * (shares[:, c] * own[:, c]).sum() + 1) / (shares[:, c].sum() + own[:, c].sum() + 1)
        for c in judged
    ]
    return F.cross_entropy(pixels, true) + 1 - torch.stack(dice).mean()


@pytest.mark.parametrize(("classes", "judged"), [(2, None), (3, None), (3, (0, 2))])
def test_each_picture_has_the_value_of_the_formula(classes, judged):
    scores, masks = drawn(classes)
    expected = [
        by_hand(own, mask, list(judged or range(1, classes)))
        for own, mask in zip(scores, masks, strict=True)
    ]
    found = segmentation_loss(scores, masks, classes=judged)
    torch.testing.assert_close(found, torch.stack(expected))
    torch.testing.assert_close(
        segmentation_loss.mean(scores, masks, classes=judged), found.mean()
    )


def test_gradients_are_those_of_finite_differences():
    scores, masks = drawn(count=2)
    torch.autograd.gradcheck(lambda s: segmentation_loss(s, masks), scores.requires_grad_())


def test_ignored_pixels_have_no_gradient():
    scores, masks = drawn()
    segmentation_loss(scores.requires_grad_(), masks).sum().backward()
    assert scores.grad is not None
    ignored = (masks == 255)[:, None].expand_as(scores)
    assert (scores.grad[ignored] == 0).all()
    assert (scores.grad[~ignored] != 0).any()


def test_a_picture_without_a_counted_pixel_costs_nothing():
    scores, masks = drawn()
    masks[1] = 255
    values = segmentation_loss(scores.requires_grad_(), masks)
    assert values[1] == 0
    (gradient,) = torch.autograd.grad(values.sum(), scores)
    assert gradient.isfinite().all()


def test_large_scores_stay_finite():
    scores, masks = drawn()
    huge = (1e4 * scores).float().requires_grad_()
    values = segmentation_loss(huge, masks)
    (gradient,) = torch.autograd.grad(values.sum(), huge)
    assert values.isfinite().all()
    assert gradient.isfinite().all()
    assert segmentation_loss(scores.half(), masks).dtype == torch.float32


def test_what_does_not_fit_is_refused():
    scores, masks = drawn()
    with pytest.raises(ValueError, match=r"of the same size, got \(4, 3, 6, 5\) and"):
        segmentation_loss.prepare(masks[..., :4], scores)
    masks[0, 0, 0] = 3
    with pytest.raises(ValueError, match="a mask has the class 3, but there are scores for 3"):
        segmentation_loss.prepare(masks, scores)
