"""Examples mixed in pairs, with their targets."""

import numpy as np
import pytest
import torch
from scipy import stats
from tests.datasets.augmentation.batches import seeded

from neuropil.datasets import DataError
from neuropil.datasets.augmentation import CutMix, Mixup


def test_mixup_blends_inputs_and_targets_alike():
    pictures, classes = torch.eye(64).reshape(64, 1, 8, 8), torch.arange(64)
    inputs, targets = Mixup(1.0, classes=64)(pictures, classes, seeded())
    torch.testing.assert_close(inputs.flatten(1), targets)
    torch.testing.assert_close(targets.sum(1), torch.ones(64))
    own = targets.diagonal()
    share = Mixup(1.0, classes=64).shares(pictures, seeded())
    # An example may be its own partner.
    assert (torch.isclose(own, share) | torch.isclose(own, torch.ones(64))).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_draws_from_the_beta_distribution(alpha):
    share = Mixup(alpha).shares(torch.zeros(20000, 1), seeded()).numpy()
    for place in (0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999):
        expected = stats.beta(alpha, alpha).cdf(place)
        assert abs((share <= place).mean() - expected) < 4 * np.sqrt(0.25 / 20000)


def test_mixup_of_numbers_keeps_their_shape_and_of_classes_needs_their_number():
    inputs, targets = Mixup(0.4)(torch.zeros(5, 2), torch.arange(5.0), seeded())
    assert targets.shape == (5,)
    assert 0 <= targets.min() <= targets.max() <= 4
    with pytest.raises(DataError, match="Mixup needs `classes`"):
        Mixup(0.4)(inputs, torch.arange(5), seeded())


def test_cutmix_replaces_one_rectangle_and_blends_the_targets_by_its_area():
    pictures = torch.arange(400.0).reshape(400, 1, 1, 1).expand(400, 2, 12, 9)
    mixed, targets = CutMix(classes=400)(pictures, torch.arange(400), seeded())
    assert torch.equal(mixed[:, 0], mixed[:, 1])
    partners = 0
    for own, (picture, target) in enumerate(zip(mixed[:, 0], targets, strict=True)):
        values, counts = picture.unique(return_counts=True)
        assert torch.equal(values.long(), target.nonzero()[:, 0])
        torch.testing.assert_close(target[target > 0], counts / 108)
        covered = picture != own
        if covered.any():
            rows, columns = covered.any(1).nonzero(), covered.any(0).nonzero()
            assert covered.sum() == len(rows) * len(columns)
            assert len(rows) == rows.max() - rows.min() + 1
            partners += 1
    assert partners > 300


def test_cutmix_covers_any_place_with_rectangles_of_the_drawn_size():
    pictures = torch.arange(2.0).reshape(2, 1, 1, 1).repeat(3000, 1, 40, 40)
    mix = CutMix(classes=2)
    mixed, _ = mix(pictures, torch.arange(6000) % 2, seeded())
    covered = (mixed != pictures)[:, 0]
    assert covered.any(0).all()
    # Rectangles that touch no edge were not cut: their sides are those of the paper.
    share, inner = mix.shares(pictures, seeded()), 0
    for mask, kept in zip(covered, share.tolist(), strict=True):
        if mask.any() and not (mask[0] | mask[-1] | mask[:, 0] | mask[:, -1]).any():
            side = round((1 - kept) ** 0.5 * 40)
            assert (mask.any(0).sum(), mask.any(1).sum()) == (side, side)
            inner += 1
    assert inner > 300


def test_cutmix_blends_numbers_too_and_is_for_pictures():
    pictures = torch.tensor([0, 1], dtype=torch.uint8).reshape(2, 1, 1, 1).repeat(8, 3, 6, 6)
    mixed, targets = CutMix()(pictures, torch.arange(16.0) % 2, seeded())
    torch.testing.assert_close(targets, mixed.float().mean((1, 2, 3)))
    with pytest.raises(
        DataError, match=r"CutMix\(\) needs pictures .*got a batch of shape \(4, 3\)"
    ):
        CutMix()(torch.zeros(4, 3), torch.zeros(4), seeded())


@pytest.mark.parametrize("mix", [Mixup(1.0), CutMix()], ids=repr)
def test_the_mask_of_mixed_pictures_holds_the_content_of_both(mix):
    pictures = torch.ones(64, 1, 8, 8)
    mask = torch.zeros(64, 8, 8)
    mask[::2, :, :4], mask[1::2, :4] = 1, 1
    (mixed, moved), _ = mix((pictures * mask[:, None], mask), torch.zeros(64), seeded())
    assert torch.equal(mixed[:, 0] > 0, moved > 0)
