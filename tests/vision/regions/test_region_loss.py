"""The loss of regions and anchors, beside one written row by row."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.layers.detection.box_shifts import shift_boxes, shifts_between
from neuropil.vision import RegionHead, detect_regions, iou, region_loss

CLASSES, REGIONS = 3, 12
HEAD = RegionHead(CLASSES, REGIONS)
BOXES = torch.tensor([[10.0, 10, 30, 40, 2], [50, 5, 70, 25, 0], [-1] * 5])


def drawn_boxes(count, generator, around=()):
    """Return boxes in a picture of 80×60, the first of them around given ones."""
    corners = torch.rand(count, 2, 2, generator=generator) * torch.tensor([80, 60])
    boxes = torch.cat([corners.amin(1), corners.amax(1)], 1)
    for place, box in enumerate(around):
        boxes[place] = box + 2 * torch.randn(4, generator=generator)
    return boxes


def drawn(seed, anchors=20):
    """Return outputs of a picture, some of whose rows are of things."""
    generator = torch.Generator().manual_seed(seed)
    near = [BOXES[0, :4], BOXES[1, :4], BOXES[0, :4]]
    starts = torch.cat([drawn_boxes(n, generator, near) for n in (REGIONS, anchors)])
    return torch.cat([starts, torch.randn(len(starts), 5 + CLASSES, generator=generator)], 1)


def loss_by_rows(outputs, targets):
    """Return the loss of one picture, each row weighted by its chance to be drawn."""
    things = targets[targets[:, 4] >= 0]
    return loss_of_kind(outputs[:REGIONS], things, (0.5, 0.5), (128, 32), 0.1) + loss_of_kind(
        outputs[REGIONS:], things, (0.3, 0.7), (256, 128), 1.0
    )


def loss_of_kind(rows, things, limits, counts, unit):
    is_region = unit != 1
    overlaps = iou(rows[:, :4], things[:, :4])
    leads = (overlaps == overlaps.amax(0)).any(1) & (not is_region)
    of = {
        place: things[int(overlap.argmax())]
        for place, overlap in enumerate(overlaps)
        if overlap.max() >= limits[1] or leads[place]
    }
    none = [k for k, each in enumerate(overlaps) if k not in of and each.max() < limits[0]]
    positive = min(len(of), counts[1])
    negative = min(len(none), counts[0] - positive)
    total = 0.0
    for place, thing in (of | dict.fromkeys(none)).items():
        row = rows[place]
        chance = negative / len(none) if thing is None else positive / len(of)
        if is_region:
            cost = -row[8:].log_softmax(0)[0 if thing is None else int(thing[4]) + 1]
        else:
            cost = F.softplus(row[8] if thing is None else -row[8])
        if thing is not None:
            wrong = row[4:8] - shifts_between(row[:4], thing[:4]) / unit
            cost = cost + F.smooth_l1_loss(wrong, 0 * wrong, beta=1 / 9, reduction="sum")
        total += chance * cost / (positive + negative)
    return total


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_every_row_counts_with_its_chance_to_be_drawn(seed):
    outputs = drawn(seed)
    found = region_loss(outputs[None], BOXES[None], HEAD)
    torch.testing.assert_close(found[0], loss_by_rows(outputs, BOXES))


def test_at_most_a_quarter_of_128_regions_counts_for_things():
    # 64 regions of a thing and 200 of none: 32 of 64 and 96 of 200 are drawn.
    head = RegionHead(1, 264)
    rows = torch.zeros(1, 264, 10)
    rows[:, :, 2:4], rows[:, 64:, :4] = 10, torch.tensor([50.0, 50, 60, 60])
    rows[:, :64, 9] = 3.0
    box = torch.tensor([[[0.0, 0, 10, 10, 0]]])
    expected = 32 * math.log(1 + math.exp(-3)) / 128 + 96 * math.log(2) / 128
    torch.testing.assert_close(region_loss(rows, box, head), torch.tensor([expected]))


def test_padding_boxes_that_do_not_count_and_rows_without_area_cost_nothing():
    outputs = drawn(1)
    more = torch.cat([BOXES, torch.full((4, 5), -1.0)])
    plain = region_loss(outputs[None], BOXES[None], HEAD)
    torch.testing.assert_close(region_loss(outputs[None], more[None], HEAD), plain)
    # What lies on a box that does not count is of nothing, and not wrong.
    rows = torch.zeros(1, 2, 12)
    rows[:, 0, :4] = torch.tensor([0.0, 0, 10, 10])
    spared = torch.tensor([[[0.0, 0, 10, 10, -2.0]]])
    assert region_loss(rows, spared, RegionHead(3, 2)).item() == 0
    assert region_loss(rows, spared - 20, RegionHead(3, 2)).item() == pytest.approx(math.log(4))


def test_pictures_do_not_depend_on_each_other_and_may_be_without_boxes():
    outputs = torch.stack([drawn(2), drawn(3)]).requires_grad_()
    targets = torch.stack([BOXES, torch.full((3, 5), -1.0)])
    both = region_loss(outputs, targets, HEAD)
    alone = [region_loss(outputs[k : k + 1], targets[k : k + 1], HEAD) for k in range(2)]
    torch.testing.assert_close(both, torch.cat(alone))
    empty = region_loss(outputs, targets[:, :0], HEAD)
    torch.testing.assert_close(empty[1], both[1])
    gradient = torch.autograd.grad(both.sum(), outputs)[0]
    assert gradient.isfinite().all()
    assert not gradient[..., :4].any()


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_shifts_lead_from_one_box_to_another(seed):
    generator = torch.Generator().manual_seed(seed)
    one, other = (drawn_boxes(9, generator) + torch.tensor([0, 0, 3, 3.0]) for _ in range(2))
    back = shift_boxes(one, shifts_between(one, other))
    torch.testing.assert_close(back, other, rtol=1e-4, atol=1e-3)


def test_right_rows_are_the_boxes_and_those_without_area_none():
    rows = torch.zeros(1, REGIONS, 9 + CLASSES)
    rows[0, 0, 2:4] = torch.tensor([80, 60])  # the whole picture
    rows[..., 8] = 5.0
    rows[0, 1:3, :4] = BOXES[:2, :4] + torch.tensor([1.0, -2, 3, 1])
    rows[0, 1:3, 4:8] = 10 * shifts_between(rows[0, 1:3, :4], BOXES[:2, :4])
    rows[0, 1, 8:] = torch.tensor([0, 0, 0, 9.0])
    rows[0, 2, 8:] = torch.tensor([0, 8.0, 0, 0])
    rows[0, 3, 8:] = torch.tensor([0, 0, 9.0, 0])  # no area
    found = detect_regions(rows, HEAD)
    assert found[0, :2, 5].tolist() == [2, 0]
    torch.testing.assert_close(found[0, :2, :4], BOXES[:2, :4])
    torch.testing.assert_close(found[0, :2, 4], rows[0, 1:3, 8:].softmax(-1).amax(-1))
    assert (found[0, 2:, 5] == -1).all()


def test_boxes_are_cut_off_at_the_border_of_the_picture():
    rows = torch.zeros(1, 2, 9 + CLASSES)
    rows[0, :, :4] = torch.tensor([[0.0, 0, 80, 60], [60, 40, 80, 60]])
    rows[0, 1, 4:6], rows[0, :, 8:] = 5.0, torch.tensor([[9.0, 0, 0, 0], [0, 0, 9, 0]])
    found = detect_regions(rows, RegionHead(CLASSES, 2))
    assert found[0, 0, :4].tolist() == [70, 50, 80, 60]
