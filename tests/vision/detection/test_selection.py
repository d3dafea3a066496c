"""The selection of the best boxes, and the same in exported files."""

import pytest
import torch
from torch import nn

from neuropil.vision import GridHead, ap50, detect_boxes, non_max_suppression
from neuropil.vision.detection.selection import LEAST_SCORE, select_boxes
from neuropil.vision.detection.suppression_operator import OPERATOR


def random_rows(pictures, boxes, seed=0):
    """Return candidates of three classes, many of which overlap."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(pictures, boxes, 2, generator=generator) * 60
    sides = torch.rand(pictures, boxes, 2, generator=generator) * 20 + 1
    scores = torch.rand(pictures, boxes, 1, generator=generator)
    numbers = torch.randint(3, (pictures, boxes, 1), generator=generator)
    return torch.cat([corners, corners + sides, scores, numbers], dim=-1)


def test_the_best_hundred_boxes_remain_best_first_and_padding_follows():
    rows = random_rows(2, 300)
    rows[1, 20:, 4] = LEAST_SCORE / 2
    found = select_boxes(rows, 3)
    assert found.shape == (2, 100, 6)
    for picture, candidates in zip(found, rows, strict=True):
        boxes, scores, classes = candidates[:, :4], candidates[:, 4], candidates[:, 5].long()
        kept = non_max_suppression(boxes, scores, classes, score=LEAST_SCORE)[:100]
        assert torch.equal(picture[: len(kept)], candidates[kept])
        assert (picture[len(kept) :] == torch.tensor([0.0, 0, 0, 0, 0, -1])).all()


def test_no_candidate_gives_padding():
    found = select_boxes(torch.zeros(2, 0, 6), 3, most=4)
    assert found.tolist() == [[[0, 0, 0, 0, 0, -1]] * 4] * 2


def test_a_candidate_that_is_not_finite_is_noticed():
    rows = random_rows(2, 30)
    rows[1, 7, 2] = torch.nan
    found = select_boxes(rows, 3)
    assert found[0].isfinite().all()
    assert found[1, 0].isnan().any()


# The exporters warn about their own code.
IN_EXPORTERS = "ignore:.*LeafSpec:FutureWarning"


class Selection(nn.Module):
    def forward(self, rows):
        return select_boxes(rows, 3, most=20)


@pytest.fixture(scope="module")
def batches():
    """Return candidates of some pictures, and of pictures without any box."""
    few = random_rows(3, 7)
    return [random_rows(2, 60), few, few * torch.tensor([1.0, 1, 1, 1, 0, 1])]


@pytest.mark.filterwarnings(IN_EXPORTERS)
def test_onnx_selects_the_same_boxes(batches):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    program = torch.onnx.export(
        Selection().eval(),
        (batches[0],),
        dynamo=True,
        dynamic_shapes=({0: "pictures", 1: "boxes"},),
        custom_translation_table={OPERATOR.operator: OPERATOR.in_onnx},
        verbose=False,
    )
    kinds = [node.op_type for node in program.model_proto.graph.node]
    assert kinds.count("NonMaxSuppression") == 1
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    for rows in batches:
        (found,) = session.run(None, {session.get_inputs()[0].name: rows.numpy()})
        assert torch.equal(torch.from_numpy(found), select_boxes(rows, 3, most=20))


@pytest.mark.filterwarnings(IN_EXPORTERS)
def test_a_program_of_torch_alone_selects_the_same_boxes(batches):
    free = torch.export.Dim.DYNAMIC
    program = torch.export.export(
        Selection().eval(), (batches[0],), dynamic_shapes=({0: free, 1: free},)
    ).run_decompositions({OPERATOR.operator: OPERATOR.in_torch})
    targets = [str(node.target) for node in program.graph.nodes]
    assert not [target for target in targets if "neuropil" in target]
    for rows in batches:
        assert torch.equal(program.module()(rows), select_boxes(rows, 3, most=20))


HEAD = GridHead(2, strides=(8,), anchors=(((6, 4), (6, 5)),))


def outputs():
    """Return the outputs of two cells side by side, which find nothing."""
    found = torch.zeros(1, 1, 2, 2, 7)
    found[..., 0] = -9
    return found


def test_an_output_of_zeros_is_its_anchor_in_the_middle_of_the_cell():
    found = outputs()
    found[0, 0, 1, 0] = torch.tensor([9.0, 0, 0, 0, 0, -9, 9])
    boxes = detect_boxes(found.flatten(3), HEAD)
    assert boxes.shape == (1, 100, 6)
    assert boxes[0, 0].round(decimals=2).tolist() == [9, 2, 15, 6, 1, 1]
    assert boxes[0, 1:].eq(torch.tensor([0.0, 0, 0, 0, 0, -1])).all()
    assert ap50(boxes, torch.tensor([[[9.0, 2, 15, 6, 1]]])) > 0.999


def test_a_doubled_box_is_dropped_and_one_beyond_the_border_is_cut_off():
    found = outputs()
    found[0, 0, 0, 0] = torch.tensor([2.0, -9, 0, 0, 0, 9, -9])  # around x = −4
    found[0, 0, 1] = torch.tensor([[3.0, 0, 0, 0, 0, -9, 9], [4.0, 0, 0, 0, 0, -9, 9]])
    found[0, 0, 0, 0, 3:5] = 9  # four times as wide and as high as its anchor
    boxes = detect_boxes(found.flatten(3), HEAD)
    assert (boxes[..., 5] >= 0).sum() == 2
    assert boxes[0, 0, :4].tolist() == [9, 1.5, 15, 6.5]
    assert boxes[0, 1, :4].round().tolist() == [0, 0, 8, 8]
