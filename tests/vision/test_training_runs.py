"""Trainings on labelled places in pictures that are killed, or shared by processes."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file
from tests.datasets.annotations.label_writers import write_yolo
from tests.datasets.masks.mask_writers import write_masks
from tests.datasets.points.point_writers import write_table

from neuropil.cli import main
from neuropil.runs.run_folder import Run

pytestmark = pytest.mark.extended

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
PATIENCE = 300
CLASSES = ("cat", "dog")
# Without a bias before the normalisation, whose gradient is nothing but rounding errors.
NETWORKS = {
    "detection": (
        "Convolution(6, 8, stride=8, bias=False) >> BatchNorm() >> Relu() >> "
        "(Identity() | MaxPooling(2)) >> "
        "BoxGrid(2, anchors=[[(12, 12)], [(24, 24)]], strides=[8, 16])"
    ),
    "landmarks": (
        "Convolution(6, 8, stride=8, bias=False) >> BatchNorm() >> Relu() >> "
        "Flatten() >> Linear(6)"
    ),
    "segmentation": (
        "Convolution(6, 3, padding='same', bias=False) >> BatchNorm() >> Relu() >> "
        "Convolution(2, 1)"
    ),
}
every_task = pytest.mark.parametrize("name", NETWORKS)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return 64 pictures with boxes, one in eight without any; with points; and with masks."""
    draw, folder = random.Random(0), tmp_path_factory.mktemp("data")
    boxes = {
        f"{number:02}": [
            (CLASSES[place % 2], 30 * place + 2, 5, 30 * place + draw.randint(12, 28), 30)
            for place in range(number % 8 and 2)
        ]
        for number in range(64)
    }
    points = {
        f"{number:02}": [(draw.randint(1, 63), draw.randint(1, 47), 2) for _ in CLASSES]
        for number in range(64)
    }
    return {
        "detection": write_yolo(folder / "boxes", boxes, CLASSES, (48, 64)),
        "landmarks": write_table(folder / "points.csv", points, ("left", "right"), (48, 64)),
        "segmentation": write_masks(folder / "masks", 64, (48, 64)),
    }


def training(data, name, out, *options):
    return [
        *("train", "--data", str(data[name]), "--network", NETWORKS[name]),
        *("--batch-size", "16", "--threads", "1", "--quiet", "--out", str(out), *options),
    ]


def weights(run):
    return load_file(run / "weights.safetensors")


@every_task
def test_a_killed_training_resumes_to_the_same_bits(data, name, tmp_path):
    epochs = ("--epochs", "12")
    with subprocess.Popen(
        [sys.executable, "-m", "neuropil", *training(data, name, tmp_path / "run", *epochs)],
        env=ENVIRONMENT,
    ) as process:
        while not list((tmp_path / "run" / "checkpoints").glob("step-*.pt")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert Run.open(tmp_path / "run").status == "running"
    assert main(["resume", str(tmp_path / "run"), "--quiet"]) == 0
    assert main(training(data, name, tmp_path / "whole", *epochs)) == 0
    ours, theirs = (weights(tmp_path / each) for each in ("run", "whole"))
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    runs = [Run.open(tmp_path / each) for each in ("run", "whole")]
    assert runs[0].figures == runs[1].figures
    assert runs[0].task == runs[1].task


@every_task
def test_two_processes_give_the_figures_of_one(data, name, tmp_path):
    # What is drawn for an augmentation differs between processes, and Adam makes a step of any
    # gradient, also of one that is only rounding. After more epochs the kinks of a loss have
    # enlarged what was rounding.
    options = ("--epochs", "1", "--augment", "none", "--optimizer", "momentum", "--lr", "0.01")
    options += ("--schedule", "none")
    group = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    run = subprocess.run(
        [
            sys.executable,
            *group,
            "-m",
            "neuropil",
            *training(data, name, tmp_path / "2", *options),
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert main(training(data, name, tmp_path / "1", *options)) == 0
    ours, theirs = (weights(tmp_path / each) for each in "21")
    for key, value in theirs.items():
        # Two processes add the gradients in another order.
        torch.testing.assert_close(ours[key], value, rtol=1e-4, atol=1e-4)
    figures = [Run.open(tmp_path / each).figures["test"] for each in "21"]
    assert figures[0] == pytest.approx(figures[1], rel=1e-3, nan_ok=True)
