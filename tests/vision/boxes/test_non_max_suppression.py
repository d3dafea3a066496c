"""Non-max suppression: by hand, against brute force, on both forms, and refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuropil.vision import batched_non_max_suppression, iou, non_max_suppression
from neuropil.vision.boxes import device_suppression
from neuropil.vision.boxes import non_max_suppression as module
from neuropil.vision.boxes.candidates import Candidates, best_first
from neuropil.vision.boxes.device_suppression import suppress_on_device
from neuropil.vision.boxes.non_max_suppression import suppress_on_cpu

FORMS = (suppress_on_cpu, suppress_on_device)
BOXES = torch.tensor(
    [[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 10, 5], [5, 5, 5, 9]]
)


def brute_force(boxes, scores, classes, score, threshold):
    """Return the kept indices by the definition: each box against all better ones kept."""
    overlaps = iou(boxes, boxes)
    drops = (overlaps >= overlaps.new_tensor(threshold)).numpy() & (
        classes[:, None] == classes
    ).numpy()
    alive = (scores >= scores.new_tensor(score)).tolist()
    kept = []
    for index in sorted(range(len(scores)), key=lambda i: (-scores[i].item(), i)):
        if alive[index] and not drops[kept, index].any():
            kept.append(index)
    return kept


def draw(rng, most=14):
    """Draw a few boxes with ties, equal boxes, degenerate ones and several sizes."""
    n = int(rng.integers(0, most))
    real = (np.float32, np.float64)[rng.integers(2)]
    if rng.random() < 0.5:  # few values: overlaps of exactly 1/2, equal scores, no area
        low, size = rng.integers(0, 4, (n, 2)), rng.integers(-1, 4, (n, 2))
    else:
        unit = 10.0 ** rng.integers(-3, 4)
        size = unit * rng.lognormal(0, rng.choice([0.1, 1.0, 4.0]), (n, 2))
        low = unit * rng.choice([0.3, 3.0]) * rng.normal(size=(n, 2))
    boxes = torch.from_numpy(np.concatenate([low, low + size], 1).astype(real))
    scores = torch.from_numpy(rng.integers(0, 5, n).astype(real) / 4)
    return boxes, scores, torch.from_numpy(rng.integers(0, rng.integers(1, 4), n))


def compare_with_brute_force(sets, seed):
    rng = np.random.default_rng(seed)
    kept = 0
    for _ in range(sets):
        boxes, scores, classes = draw(rng)
        score, threshold = rng.choice([0.0, 0.25, 0.6]), rng.choice([0.1, 1 / 3, 0.5, 0.7, 1])
        expected = brute_force(boxes, scores, classes, score, threshold)
        kept += len(expected)
        given = Candidates(boxes[None], scores[None], classes[None])
        for form in FORMS:
            found = form(given, score, threshold, len(scores))[0]
            assert found[found >= 0].tolist() == expected
    assert kept > sets


def test_boxes_kept_by_hand():
    scores = torch.tensor([0.8, 0.9, 0.7, 0.6, 0.65])
    # 1 drops 0 (IoU 9/11), but not 3 (45/105); 4 has no area.
    assert non_max_suppression(BOXES, scores).tolist() == [1, 2, 4, 3]
    assert non_max_suppression(BOXES, scores, score=0.65).tolist() == [1, 2, 4]
    assert non_max_suppression(BOXES, scores, iou=0.4).tolist() == [1, 2, 4]
    apart = torch.tensor([0, 1, 0, 0, 0])
    # Without 1 in its class, 0 stays, and drops 3: they overlap by exactly 1/2.
    assert non_max_suppression(BOXES, scores, apart).tolist() == [1, 0, 2, 4]
    assert non_max_suppression(BOXES, scores, apart, iou=0.51).tolist() == [1, 0, 2, 4, 3]


def test_of_equal_scores_the_lower_index_is_the_better():
    assert non_max_suppression(BOXES, torch.ones(5)).tolist() == [0, 2, 4]
    assert non_max_suppression(BOXES.flip(0), torch.ones(5)).tolist() == [0, 1, 2, 3]


def test_the_kept_boxes_are_those_of_brute_force():
    compare_with_brute_force(100, seed=0)


@pytest.mark.extended
def test_the_kept_boxes_of_ten_thousand_sets_are_those_of_brute_force():
    compare_with_brute_force(10_000, seed=1)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_a_crowd_in_many_cells_is_that_of_brute_force(threshold, monkeypatch):
    rng = np.random.default_rng(0)
    centers = rng.choice([30.0, 300.0], (1500, 1)) * rng.random((1500, 2))
    sizes = np.exp(rng.normal(2, [0.2, 0.8], (1500, 2)))
    boxes = torch.from_numpy(np.concatenate([centers - sizes, centers + sizes], 1)).float()
    scores, classes = torch.rand(1500).round(decimals=2), torch.randint(2, (1500,))
    expected = brute_force(boxes, scores, classes, 0.1, threshold)
    monkeypatch.setattr(device_suppression, "BLOCK", 256)
    for form in FORMS:
        found = form(Candidates(boxes[None], scores[None], classes[None]), 0.1, threshold, 1500)
        assert found[0, : len(expected)].tolist() == expected
        assert (found[0, len(expected) :] == -1).all()


def test_the_kept_boxes_are_those_of_onnxruntime():
    helper = pytest.importorskip("onnx").helper
    runtime = pytest.importorskip("onnxruntime")
    options = {"most": 999, "iou": 0.45, "score": 0.2}
    node = helper.make_node(
        "NonMaxSuppression", ["boxes", "scores", *options], ["kept"], center_point_box=0
    )
    graph = helper.make_graph(
        [node],
        "nms",
        [
            helper.make_tensor_value_info(name, 1, ["N", "A", "B"])
            for name in ("boxes", "scores")
        ],
        [helper.make_tensor_value_info("kept", 7, ["K", 3])],
        [
            helper.make_tensor(name, 7 if name == "most" else 1, [1], [value])
            for name, value in options.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = runtime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(0)
    low, size = 300 * rng.random((500, 2)), 10 + 40 * rng.random((500, 2))
    boxes = np.concatenate([low, low + size], 1).astype(np.float32)
    scores = rng.random((3, 500)).astype(np.float32)
    (theirs,) = session.run(None, {"boxes": boxes[None], "scores": scores[None]})
    for label in range(3):
        ours = non_max_suppression(
            torch.from_numpy(boxes), torch.from_numpy(scores[label]), score=0.2, iou=0.45
        )
        assert ours.tolist() == theirs[theirs[:, 1] == label, 2].tolist()
        assert 50 < len(ours) < 350


def test_an_outlier_among_the_boxes_changes_nothing_else():
    boxes = torch.cat([BOXES.float(), torch.tensor([[-1e30, 0, 1e30, 1e-30], [1e25] * 4])])
    scores = torch.tensor([0.8, 0.9, 0.7, 0.6, 0.65, 0.95, 0.94])
    assert non_max_suppression(boxes, scores).tolist() == [5, 6, 1, 2, 4, 3]


@pytest.mark.parametrize(("unit", "threshold"), [(6e-23, 0.9), (4e-23, 0.5)])
def test_areas_that_float32_holds_to_a_digit_or_two_are_compared_alike(unit, threshold):
    rng = np.random.default_rng(0)
    low, size = 4 * rng.random((500, 2)), 1 + 0.2 * rng.random((500, 2))
    boxes = unit * torch.from_numpy(np.concatenate([low, low + size], 1).astype(np.float32))
    scores, classes = torch.from_numpy(rng.random(500)), torch.zeros(500).long()
    expected = brute_force(boxes, scores, classes, 0, threshold)
    assert non_max_suppression(boxes, scores, score=0, iou=threshold).tolist() == expected


def test_accelerators_take_the_form_of_tensor_operations(monkeypatch):
    boxes = torch.zeros(1, 2, 4, device="meta")
    given = Candidates(boxes, boxes[..., 0], boxes[..., 0].long())
    monkeypatch.setattr(module, "suppress_on_device", lambda *_: "tensor operations")
    assert module.suppress("test", given, 0.5, 0.5, 2) == "tensor operations"


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_is_its_pictures_each_cut_off(form):
    rng = np.random.default_rng(1)
    boxes = torch.from_numpy(rng.integers(0, 9, (5, 12, 4))).float()
    scores, classes = torch.rand(5, 12), torch.randint(2, (5, 12))
    for most in (1, 4, 20):
        found = form(Candidates(boxes, scores, classes), 0.3, 0.5, most)
        assert found.shape == (5, most)
        for i, rows in enumerate(found):
            one = non_max_suppression(boxes[i], scores[i], classes[i], score=0.3)[:most]
            assert rows.tolist() == [*one.tolist(), *[-1] * (most - len(one))]


def test_a_batch_is_cut_off_at_a_hundred():
    low = 10.0 * torch.arange(150).reshape(1, 150, 1)
    boxes = torch.cat([low, low, low + 5, low + 5], -1)
    found = batched_non_max_suppression(boxes, torch.linspace(1, 0.7, 150)[None])
    assert found.tolist() == [[*range(100)]]


def test_no_boxes_or_no_score_high_enough_give_none():
    assert non_max_suppression(torch.zeros(0, 4), torch.zeros(0)).tolist() == []
    assert non_max_suppression(BOXES, torch.zeros(5)).tolist() == []
    empty = batched_non_max_suppression(torch.zeros(2, 0, 4), torch.zeros(2, 0), most=3)
    assert empty.tolist() == [[-1] * 3] * 2
    none = batched_non_max_suppression(torch.zeros(0, 5, 4), torch.zeros(0, 5), most=3)
    assert none.shape == (0, 3)


def test_half_precision_and_gradients_are_taken():
    boxes = (100 * BOXES).half().requires_grad_()  # areas that float16 cannot hold
    assert non_max_suppression(boxes, torch.ones(5).half()).tolist() == [0, 2, 4]
    assert non_max_suppression(boxes, torch.tensor([0.6] * 5).half()).tolist() == [0, 2, 4]


@pytest.mark.parametrize("real", [np.float32, np.float64])
@given(scores=st.lists(st.floats(width=32, allow_nan=False), max_size=30))
def test_the_order_is_that_of_a_stable_sort(real, scores):
    scores = np.array([*scores, 0, -0.0, 0], real)
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    assert best_first(scores).tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3, 5), torch.ones(3)), r"boxes must have the shape \(…, 4\)"),
        ((BOXES, torch.ones(4)), r"\(N, 4\), scores and classes \(N\); got \(5, 4\), \(4,\)"),
        ((BOXES, torch.ones(5), torch.zeros(4, dtype=int)), r"\(5,\) and \(4,\)"),
        ((BOXES[None], torch.ones(1, 5)), r"got \(1, 5, 4\), \(1, 5\)"),
        ((BOXES, torch.ones(5), torch.zeros(5)), "classes must be integers, got torch.float32"),
        ((BOXES, torch.tensor([1, 1, torch.nan, 1, 1])), "score 2 is not a number"),
        ((BOXES / BOXES, torch.ones(5)), "box 0 is not a number"),
    ],
)
def test_wrong_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^non_max_suppression: .*{message}"):
        non_max_suppression(*arguments)


@pytest.mark.parametrize("option", [{"iou": 0}, {"iou": 1.1}, {"score": float("nan")}])
def test_wrong_options_are_refused(option):
    with pytest.raises(ValueError, match=f"^non_max_suppression: {next(iter(option))} must be"):
        non_max_suppression(BOXES, torch.ones(5), **option)


def test_the_batch_names_picture_and_box():
    boxes = torch.zeros(2, 3, 4)
    boxes[1, 2] = torch.nan
    with pytest.raises(ValueError, match=r"batched_non_max_suppression: box 1, 2 is not a num"):
        batched_non_max_suppression(boxes, torch.ones(2, 3))
    with pytest.raises(ValueError, match="batched_non_max_suppression: most must be a whole"):
        batched_non_max_suppression(torch.zeros(2, 3, 4), torch.ones(2, 3), most=0)
