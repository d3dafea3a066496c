"""The IoU family: values by hand, bounds, symmetry, gradients, pycocotools, refusals."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.vision import complete_iou, distance_iou, generalized_iou, iou, to_corners

FAMILY = (iou, generalized_iou, distance_iou, complete_iou)
# Sides of zero, equal boxes, ill-ordered corners, and boxes far beyond any picture.
COORDINATE = st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.5, -2.0, 1e-30, 1e6, -1e30])
BOXES = st.lists(st.tuples(*[COORDINATE] * 4), min_size=1, max_size=6)


def by_hand(a, b):
    """Return IoU, GIoU, DIoU and CIoU of two boxes with area, by the formulas of the papers."""
    (ax, ay, au, av), (bx, by, bu, bv) = a, b
    common = max(min(au, bu) - max(ax, bx), 0) * max(min(av, bv) - max(ay, by), 0)
    union = (au - ax) * (av - ay) + (bu - bx) * (bv - by) - common
    width, height = max(au, bu) - min(ax, bx), max(av, bv) - min(ay, by)
    value = common / union
    apart = ((ax + au - bx - bu) ** 2 + (ay + av - by - bv) ** 2) / 4
    distance = value - apart / (width**2 + height**2)
    turn = math.atan((bu - bx) / (bv - by)) - math.atan((au - ax) / (av - ay))
    v = 4 / math.pi**2 * turn**2
    complete = distance - (v * v / (1 - value + v) if v else 0)
    return value, value - (width * height - union) / (width * height), distance, complete


@pytest.mark.parametrize(
    ("b", "values"),
    [
        ((0, 0, 2, 2), (1, 1, 1, 1)),
        ((1, 0, 3, 2), (1 / 3, 1 / 3, 1 / 3 - 1 / 13, 1 / 3 - 1 / 13)),
        ((2, 0, 4, 2), (0, 0, -4 / 20, -4 / 20)),
        ((4, 0, 6, 2), (0, -1 / 3, -16 / 40, -16 / 40)),
        ((0.5, 0.5, 1.5, 1.5), (1 / 4, 1 / 4, 1 / 4, 1 / 4)),
    ],
)
def test_values_worked_by_hand(b, values):
    a, b = torch.tensor([0.0, 0.0, 2.0, 2.0]), torch.tensor(b, dtype=torch.float32)
    found = [measure(a, b, paired=True).item() for measure in FAMILY]
    assert found == pytest.approx(values)


def random_boxes(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(*shape, 4, generator=generator, dtype=dtype)
    return to_corners(drawn * 4 + torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=dtype))


def test_all_pairs_and_pairs_by_row_follow_the_formulas():
    a, b = random_boxes(2, 5), random_boxes(2, 7, seed=1)
    for i, measure in enumerate(FAMILY):
        every = measure(a, b)
        assert every.shape == (2, 5, 7)
        for p, n, m in np.ndindex(2, 5, 7):
            expected = by_hand(a[p, n].tolist(), b[p, m].tolist())[i]
            assert every[p, n, m].item() == pytest.approx(expected, abs=1e-12)
        rows = measure(a, b[:, :5], paired=True)
        torch.testing.assert_close(rows, every[:, :, :5].diagonal(dim1=1, dim2=2))


@settings(max_examples=40)
@given(BOXES, BOXES, st.sampled_from([torch.float16, torch.float32, torch.float64]))
def test_bounds_and_symmetry_hold_for_degenerate_boxes(first, second, dtype):
    a, b = (torch.tensor(boxes, dtype=dtype) for boxes in (first, second))
    value, generalized, distance, complete = (measure(a, b) for measure in FAMILY)
    slack = 4 * torch.finfo(dtype).eps
    assert ((value >= 0) & (value <= 1)).all()
    assert ((generalized >= -1 - slack) & (generalized <= value + slack)).all()
    assert ((distance >= -1 - slack) & (distance <= value)).all()
    assert ((complete >= -2 - slack) & (complete <= distance)).all()
    for measure, there in zip(FAMILY, (value, generalized, distance, complete), strict=True):
        assert there.dtype == dtype
        assert torch.equal(measure(b, a), there.mT)


@settings(max_examples=40)
@given(BOXES, BOXES, st.sampled_from([torch.float32, torch.float64]))
def test_gradients_are_finite_for_degenerate_boxes(first, second, dtype):
    for measure in FAMILY:
        a, b = (
            torch.tensor(boxes, dtype=dtype, requires_grad=True) for boxes in (first, second)
        )
        measure(a, b).sum().backward()
        assert all(boxes.grad is not None and boxes.grad.isfinite().all() for boxes in (a, b))


@pytest.mark.parametrize("measure", FAMILY[:3])
@pytest.mark.parametrize("paired", [False, True])
def test_gradients_are_those_of_finite_differences(measure, paired):
    a, b = random_boxes(4).requires_grad_(), random_boxes(4, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: measure(a, b, paired=paired), (a, b))


def test_the_gradient_of_complete_iou_takes_alpha_as_constant():
    a, b = random_boxes(6).requires_grad_(), random_boxes(6, seed=3).requires_grad_()
    whole, part = complete_iou(a, b, paired=True), distance_iou(a, b, paired=True)

    def v(a, b):
        turns = [torch.atan((c[:, 2] - c[:, 0]) / (c[:, 3] - c[:, 1])) for c in (a, b)]
        return 4 / math.pi**2 * (turns[0] - turns[1]) ** 2

    alpha = ((part - whole) / v(a, b)).detach()
    torch.testing.assert_close(alpha, (v(a, b) / (1 - iou(a, b, paired=True) + v(a, b))))
    found = torch.autograd.grad(whole.sum(), (a, b))
    expected = torch.autograd.grad((part - alpha * v(a, b)).sum(), (a, b))
    torch.testing.assert_close(found, expected)


def test_apart_from_each_other_all_but_iou_pull():
    a = torch.tensor([[0.0, 0.0, 1.0, 1.0]], requires_grad=True)
    b = torch.tensor([[9.0, 0.0, 10.0, 1.0]])
    (still,) = torch.autograd.grad(iou(a, b).sum(), a)
    assert not still.any()
    for measure in FAMILY[1:]:
        (pull,) = torch.autograd.grad(measure(a, b).sum(), a)
        assert pull[0, 0] + pull[0, 2] > 0, measure.__name__  # to the right, where b is


def test_half_precision_takes_the_area_of_large_boxes():
    a = torch.tensor([[0.0, 0.0, 1000.0, 1000.0]], dtype=torch.float16)
    assert iou(a, a).item() == 1  # a million square pixels exceed float16


def test_values_do_not_depend_on_the_unit():
    a, b = random_boxes(5), random_boxes(4, seed=1)
    for measure in FAMILY:
        torch.testing.assert_close(measure(a * 37, b * 37), measure(a, b))


def test_no_boxes_give_no_pairs():
    for measure in FAMILY:
        assert measure(torch.zeros(0, 4), torch.zeros(3, 4)).shape == (0, 3)
        assert measure(torch.zeros(0, 4), torch.zeros(0, 4), paired=True).shape == (0,)


def test_integers_are_compared_as_floats():
    boxes = torch.tensor([[0, 0, 2, 2], [0, 0, 1, 2]])
    assert iou(boxes, boxes).tolist() == [[1, 0.5], [0.5, 1]]


@pytest.mark.parametrize("measure", FAMILY)
def test_shapes_that_do_not_fit_are_refused(measure):
    name = measure.__name__
    with pytest.raises(ValueError, match=rf"{name}: .*\(…, 4\), got \(2, 5\)"):
        measure(torch.zeros(2, 4), torch.zeros(2, 5))
    with pytest.raises(ValueError, match=rf"{name}: .*\(4,\) and \(2, 4\); paired=True"):
        measure(torch.zeros(4), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=rf"{name}: .*\(2, 4\) and \(3, 4\) do not broadcast"):
        measure(torch.zeros(2, 4), torch.zeros(3, 4), paired=True)


def test_iou_is_that_of_pycocotools(data):
    masks = pytest.importorskip("pycocotools.mask")
    compared = 0
    for path in sorted((data / "coco128/labels").rglob("*.txt")):
        rows = np.array(path.read_text().split(), float).reshape(-1, 5)[:, 1:]
        corners = to_corners(torch.from_numpy(rows)) * 640
        # pycocotools takes the upper left corner and the size.
        theirs = torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1).numpy()
        if len(rows):
            expected = masks.iou(theirs, theirs, [0] * len(rows))
            np.testing.assert_allclose(iou(corners, corners).numpy(), expected, atol=1e-12)
            compared += len(rows) ** 2
    assert compared > 5000
