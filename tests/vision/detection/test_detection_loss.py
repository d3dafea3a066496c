"""The loss of detection."""

import functools
import math

import pytest
import torch

from neuropil.vision import GridHead, detection_loss, encode_boxes
from neuropil.vision.detection.assignment import assign_boxes

HEAD = GridHead(2, strides=(4, 8), anchors=(((6, 6),), ((20, 20),)))
GRID = (2, 3)
NONE = [-1.0] * 5
BOX = [9.0, 2.0, 15.0, 6.0, 1.0]


def outputs_of(n=1, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, *GRID, 5 * 7, generator=generator, dtype=dtype)


def targets_of(*pictures, dtype=torch.float32):
    most = max(map(len, pictures))
    return torch.tensor([[*p, *[NONE] * (most - len(p))] for p in pictures], dtype=dtype)


def test_one_predictor_worked_by_hand():
    head = GridHead(2, strides=(8,), anchors=(((4, 4),),))
    targets = torch.tensor([[[1.0, 2.0, 5.0, 6.0, 1.0]]])
    # Centre at (4, 4) and the anchor's size: a box that overlaps half of three quarters, IoU
    # 12/20, centres 1 apart, the hull 5 × 4, equal in aspect.
    outputs = torch.tensor([[[[0.3, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0]]]])
    iou, ciou = 12 / 20, 12 / 20 - 1 / 41
    p = 1 / (1 + math.exp(-0.3))
    expected = (
        7 * 3 * (iou - p) ** 2 * -(iou * math.log(p) + (1 - iou) * math.log(1 - p))
        + 3 * (1 - ciou)
        + 2 * math.log(1 + math.exp(2))
    )
    loss = detection_loss(outputs, targets, head, objectness=7, box=3, classes=2)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_it_is_small_where_the_outputs_say_what_the_target_says():
    targets = targets_of([BOX, [2.0, 4.0, 20.0, 16.0, 0.0]])
    values = encode_boxes(targets, HEAD, GRID).reshape(1, *GRID, 5, 7)
    anchors = HEAD.predictors().anchors.flip(-1) / HEAD.predictors().strides
    sizes = ((values[..., 3:5] / anchors).sqrt() / 2).clamp(1e-4, 1 - 1e-4)
    outputs = torch.cat(
        [
            30 * values[..., :1] - 15,
            torch.logit((values[..., 1:3] + 0.5) / 2),
            torch.logit(sizes),
            30 * values[..., 5:],
        ],
        dim=-1,
    )
    assert detection_loss(outputs.flatten(3), targets, HEAD).item() < 1e-3


def test_the_loss_of_a_picture_does_not_depend_on_others_or_on_padding():
    pictures = [[BOX], [], [BOX, [2.0, 4.0, 20.0, 16.0, 0.0]]]
    outputs = outputs_of(3)
    together = detection_loss(outputs, targets_of(*pictures), HEAD)
    alone = [
        detection_loss(outputs[i : i + 1], targets_of([*picture, NONE]), HEAD)
        for i, picture in enumerate(pictures)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_each_box_counts_alike_however_many_predictors_find_it():
    head = GridHead(2, strides=(4,), anchors=(((8, 8), (16, 16)),))
    # The first is like both anchors and beside a border of its cell, the second like one.
    targets = targets_of([[2.0, 1.0, 12.0, 11.0, 0.0], [28.0, 1.0, 36.0, 3.0, 1.0]])
    assigned = assign_boxes(targets, head, (3, 10))
    counts = [int((assigned == row).sum()) for row in (0, 1)]
    assert counts[0] > counts[1] > 0
    outputs = torch.zeros(1, 3, 10, 14, requires_grad=True)
    detection_loss(outputs, targets, head, objectness=0, box=0, classes=1).backward()
    assert outputs.grad is not None
    pull = outputs.grad.reshape(1, 3, 10, 2, 7)[..., 5:].abs().sum(-1)
    sums = [pull[assigned == row].sum().item() for row in (0, 1)]
    assert sums[0] == pytest.approx(sums[1])


def test_a_batch_without_boxes_has_finite_losses_and_gradients():
    for extreme in (1.0, 1e4):
        outputs = (extreme * outputs_of(2)).requires_grad_()
        loss = detection_loss(outputs, targets_of([], [NONE]), HEAD)
        assert loss.isfinite().all()
        (gradient,) = torch.autograd.grad(loss.sum(), outputs)
        assert gradient.isfinite().all()
        by_predictor = gradient.reshape(2, *GRID, 5, 7)
        assert by_predictor[..., 0].any()
        assert not by_predictor[..., 1:].any()  # there is no box to move


@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_extreme_boxes_and_outputs_have_finite_losses_and_gradients(size):
    outputs = (100 * outputs_of(1)).requires_grad_()
    targets = targets_of([[4.0, 4.0, 4 + size, 4 + size, 0.0]])
    loss = detection_loss(outputs, targets, HEAD)
    (gradient,) = torch.autograd.grad(loss.sum(), outputs)
    assert loss.isfinite().all()
    assert gradient.isfinite().all()


def test_gradients_are_those_of_finite_differences():
    targets = targets_of([BOX], [[2.0, 4.0, 20.0, 16.0, 0.0]], dtype=torch.float64)
    outputs = outputs_of(2, dtype=torch.float64).requires_grad_()
    # The overlap as the wanted objectness, and α in CIoU, take no gradient.
    raw = {"objectness": 0.0, "box": 0.0, "classes": 1.0}
    check = functools.partial(torch.autograd.gradcheck, fast_mode=True)  # in one direction
    assert check(lambda o: detection_loss(o, targets, HEAD, **raw), outputs)
    nothing = torch.full((2, 1, 5), -1.0, dtype=torch.float64)
    assert check(lambda o: detection_loss(o, nothing, HEAD), outputs)


def test_steps_along_the_gradient_find_the_boxes():
    targets = targets_of([BOX, [2.0, 4.0, 20.0, 16.0, 0.0]])
    outputs = torch.zeros(1, *GRID, 35, requires_grad=True)
    optimizer = torch.optim.Adam([outputs], lr=0.1)
    first = detection_loss(outputs, targets, HEAD).item()
    for _ in range(150):
        loss = detection_loss(outputs, targets, HEAD).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 * first


def test_a_box_that_counts_neither_for_nor_against_takes_its_predictors_out():
    targets = targets_of([[*BOX[:4], -3.0]])
    outputs = outputs_of().requires_grad_()
    detection_loss(outputs, targets, HEAD).sum().backward()
    assert outputs.grad is not None
    objectness = outputs.grad.reshape(1, *GRID, 5, 7)[..., 0]
    ignored = assign_boxes(targets, HEAD, GRID) >= 0
    assert ignored.any()
    assert torch.equal(objectness == 0, ignored)
