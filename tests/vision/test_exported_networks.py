"""Networks that see where things are, in ONNX Runtime: the answers are those of predict."""

from dataclasses import replace

import pytest
import torch
from tests.datasets.masks.mask_writers import write_masks
from tests.datasets.points.point_writers import write_table

from neuropil import datasets
from neuropil.architectures import faster_rcnn
from neuropil.runs.exporting.run_export import export
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for
from neuropil.vision import LandmarkNet

runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
# The exporter warns about its own code.
pytestmark = [pytest.mark.extended, pytest.mark.filterwarnings("ignore")]

NAMES = ("left_eye", "right_eye", "nose")


def pointed(folder):
    points = [(20, 8.5, 2), (6, 8.5, 1), (13, 15, 2)]
    return write_table(folder / "points.csv", {f"{n}": points for n in range(12)}, NAMES)


def masked(folder):
    return write_masks(folder / "masks", 4, (45, 70))  # not in whole cells


def scenes(_folder):
    return datasets.make_digit_scenes(
        24, size=48, digits=1, scale=(2.5, 3.5), seed=0, validation=0, test=0
    )


def direct(task, shape):
    del task
    return LandmarkNet(len(NAMES), shape, heat_maps=False)


def regions(task, shape):
    """Return a network whose scores are far apart, so that rounding changes no order."""
    network = faster_rcnn(
        10, strides=task.strides, anchors=task.anchors, input_shape=shape, width=8, regions=5
    )
    for name, layer in network.layers.items():
        if name.startswith(("anchorboxes", "regionboxes")):
            for parameter in layer.parameters():
                torch.nn.init.normal_(parameter, std=0.5)
    last = network.layers["regionboxes1"]
    last.weight.data[4], last.bias.data[4] = 0.0, -1e6  # each region is of some thing
    return network


def default(task, shape):
    return task.network(shape)


def named(name):
    return lambda task, shape: task.named_network(name, shape)


@pytest.mark.parametrize(
    ("write", "build"),
    [
        pytest.param(pointed, default, id="heat maps"),
        pytest.param(pointed, direct, id="direct"),
        pytest.param(pointed, named("squeezenet"), id="heat maps of squeezenet"),
        pytest.param(masked, default, id="unet"),
        pytest.param(masked, named("resnet20"), id="pyramid of resnet20"),
        pytest.param(scenes, regions, id="faster_rcnn"),
    ],
)
def test_answers_are_those_of_predict(tmp_path, write, build):
    data = write(tmp_path)
    made = data if hasattr(data, "train") else datasets.open(data, validation=0, test=0)
    torch.manual_seed(0)
    task = task_for(made.target, None, made.train.targets)
    network = build(task, made.input_shape)
    network.inputs[0].set_normalization(128.0, 64.0)
    task = task.adapt_to(network)
    if made.target.kind == "boxes":
        task = replace(task, thresholds=(0.02,) * 10)
    run = Run.create(tmp_path / "run", network, made, task, {"data": str(data)})
    export(run, tmp_path / "network.onnx")
    session = runtime.InferenceSession(
        tmp_path / "network.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = made.train.inputs[:3]
    (answers,) = session.run([task.answers], {"inputs": inputs.numpy()})
    expected = run.predict(inputs)
    assert answers.shape == tuple(expected.shape)
    torch.testing.assert_close(torch.from_numpy(answers), expected, rtol=1e-4, atol=1e-4)
    assert len(expected.unique()) > 1
