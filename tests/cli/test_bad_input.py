"""Wrong input: one clear line, exit code 2, nothing left half-written."""

import json
import os
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from neuropil.runs.run_folder import Run
from neuropil.training.checkpoints.checkpoint import Checkpoints

QUICK = ("--epochs", "2", "--threads", "1", "--quiet")


@pytest.fixture(name="untrained")
def refused_training(refused, tmp_path):
    """Return a function that trains in vain, and gives the line that says why."""

    def call(*arguments: object) -> str:
        line = refused("train", "--out", "run", *QUICK, *arguments)
        assert not (tmp_path / "run").exists()
        return line

    return call


REFUSED = {
    "--lr -1": "--lr must be a number above 0, got -1.",
    "--lr 0": "--lr must be a number above 0, got 0.",
    "--lr inf": "--lr must be a number above 0, got inf.",
    "--lr nan": "--lr must be a number above 0, got nan.",
    "--epochs 0": "--epochs must be at least 1, got 0.",
    "--batch-size 0": "--batch-size must be at least 1, got 0.",
    "--seed -1": "--seed must be a whole number from 0, got -1.",
    "--threads none": "--threads must be 'auto' or an integer of at least 1, got 'none'.",
    "--image-size 0x3": "--image-size must be a number such as 32, or HEIGHTxWIDTH",
    "--class-weight heavy": "--class-weight must be 'balanced' or one number",
    "--class-weight 1,2,3": "class_weight needs 10 weights, one per class",
    "--optimizer adm": "Did you mean 'adam'?",
    "--schedule cosin": "Did you mean 'cosine'?",
    "--loss crossentropi": "Did you mean 'cross_entropy'?",
    "--loss mse": "Neuropil calls it 'squared_error'",
    "--loss huber": "--loss huber is not for classification: use cross_entropy or hinge.",
    "--augment RandomShft(1)": "Did you mean 'RandomShift'?",
    "--device toaster": "device 'toaster' cannot be used",
    "--target x": "--target needs --data",
    "--test -1": "test",
}


@pytest.mark.parametrize(("options", "line"), REFUSED.items())
def test_options_out_of_their_range(untrained, options, line):
    assert line in untrained(*options.split())


@pytest.mark.parametrize(
    ("network", "line"),
    [
        ("Flatten() >> Sofmax(10)", "there is no layer 'Sofmax'. Did you mean 'Softmax'?"),
        ("small_convolutionel", "Did you mean 'small_convolutional'?"),
        ("Relu(64) >> Softmax(10)", "put Flatten() or Convolution(64, 1) before it."),
        ("Flatten() >> Softmax(9)", "the data has 10 classes: end it with Softmax(10)."),
        ("Convolution(10, 3)", "end it with Flatten() >> Softmax(10)."),
        ("Input(3, 8, 8) >> Flatten() >> Softmax(10)", "begin it with Input(1, 8, 8)."),
        ("Flatten() >> Relu(10**12) >> Softmax(10)", "is not allowed in a network expression"),
        ("Flatten() >> Relu(1000000000000) >> Softmax(10)", "from 1 to 2,147,483,647"),
        ("Flatten() >> Relu(2000000000) >> Softmax(10)", "needs 600 GB of memory, and"),
        ("Flatten() >> Relu(2000000000) >> Relu(2000000000)", "memory is not enough"),
        ("repeat(Relu(), 1000000000)", "1,000,000,000 layers; at most 100,000"),
        ("__import__('os').system('true')", "is not allowed in a network expression"),
        ("Relu(open('x', 'w'))", "there is no layer 'open'"),
        ("nowhere.json", "there is no file or folder nowhere.json."),
        ("(" * 9000, "'((((((((((((((((((((((((((((((((((((((((((((((((((((((((("),
        ("Relu(" + "9" * 9000 + ")", "is not a network expression: Exceeds the limit"),
        ("x" * 9000, "xxx…. Choose from alexnet"),
        ("x" * 9000 + ".json", "there is no file or folder xxx"),
        ("some/where", "there is no file or folder some/where."),
    ],
)
def test_networks_that_are_none_or_do_not_fit(untrained, network, line):
    assert line in untrained("--network", network)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("print('code')", "network.json is damaged"),
        ("[]", "is damaged: it has no format number"),
        ('{"format": 1}', "network.json is damaged"),
        (
            json.dumps(
                {
                    "format": 1,
                    "layers": {"input1": {"type": "os.system", "arguments": {"command": "x"}}},
                    "nodes": [{"layer": "input1", "call": 0, "inputs": []}],
                    "outputs": [0],
                }
            ),
            "there is no layer 'os.system'",
        ),
        (
            json.dumps(
                {
                    "format": 1,
                    "layers": {
                        "input1": {"type": "Input", "arguments": {"shape": [64]}},
                        "relu1": {"type": "Relu", "arguments": {"units": 10**12}},
                    },
                    "nodes": [
                        {"layer": "input1", "call": 0, "inputs": []},
                        {"layer": "relu1", "call": 0, "inputs": [0]},
                    ],
                    "outputs": [1],
                }
            ),
            "from 1 to 2,147,483,647",
        ),
    ],
)
def test_a_hostile_or_damaged_network_file(untrained, refused, tmp_path, content, line):
    (tmp_path / "network.json").write_text(content)
    assert line in untrained("--network", "network.json")
    assert line in refused("summary", "network.json")


def test_data_that_are_not_there(untrained):
    assert "nowhere" in untrained("--data", "nowhere")


@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_data_that_are_neither_a_file_nor_a_folder(untrained, tmp_path, kind):
    path = tmp_path / "data.npz"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    line = untrained("--data", path)
    assert "data.npz is a" in line or "is a broken link" in line


def test_an_archive_that_would_unpack_to_gigabytes(untrained, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in "xy":
            archive.writestr(f"{name}.npy", b"")
    content = bytearray((tmp_path / "x.npz").read_bytes())
    place = content.index(b"PK\1\2") + 24  # the unpacked size of the first
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    (tmp_path / "x.npz").write_bytes(content)
    assert "x.npz has 194 B and claims to unpack to 2.15 GB" in untrained(
        "--data", tmp_path / "x.npz"
    )


def test_an_empty_folder(untrained, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty is empty" in untrained("--data", "empty")


def test_one_class_only(untrained, pictures):
    for file in (pictures / "standing").iterdir():
        file.unlink()
    (pictures / "standing").rmdir()
    assert "one class only, 'lying'" in untrained("--data", pictures)


def test_a_word_in_a_column_of_numbers(untrained, numbers):
    lines = numbers.read_text().splitlines()
    lines[11] = "oops" + lines[11][lines[11].index(",") :]
    numbers.write_text("\n".join(lines))
    assert "column 'a', row 12: 'oops'" in untrained("--data", numbers)


def test_nan_in_an_array(untrained, tmp_path):
    x = np.ones((20, 3))
    x[7, 1] = np.nan
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(20) % 2)
    assert "row 7 holds nan" in untrained("--data", "data.npz")


def test_a_broken_picture_among_good_ones_is_set_aside(neuropil, pictures):
    broken = pictures / "lying" / "03.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    network = ["--network", "Flatten() >> Softmax(2)"]
    result = neuropil("train", "--data", pictures, "--out", "run", *network, *QUICK[:-1])
    assert result.code == 0
    assert "note: 1 broken picture set aside: lying/03.png" in result.err
    data = Run.open("run").data
    assert data["train"] + data["validation"] + data["test"] == 23


def test_pictures_that_are_all_broken(untrained, pictures):
    for file in pictures.glob("*/*.png"):
        file.write_bytes(b"junk")
    assert "None of the 24 pictures" in untrained("--data", pictures)


def test_a_folder_that_holds_something_is_left_alone(refused, tmp_path, table):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    line = refused("train", "--data", table, "--out", "mine", *QUICK)
    assert "mine already exists: name a new folder with --out" in line
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


# What goes wrong during a training

DIVERGING = ("--optimizer", "sgd", "--schedule", "none")


def test_a_loss_that_turns_nan_at_once_leaves_nothing(untrained, numbers):
    network = ["--network", "Relu(8) >> Linear(1)"]
    line = untrained("--data", numbers, *network, *DIVERGING, "--lr", "1e38")
    assert "epoch 1, step 2: the loss is " in line
    assert "The first layer with a non-finite output is linear1" in line


def test_a_loss_that_turns_nan_later_keeps_the_last_good_state(refused, neuropil, numbers):
    # Each step multiplies the error by some number above 1.
    network = ["--network", "Linear(1)", "--lr", "3", "--epochs", "100"]
    line = refused("train", "--data", numbers, "--out", "run", *DIVERGING, *QUICK, *network)
    assert "The last good state is run/checkpoints/step-" in line
    run = Run.open("run")
    assert run.status == "failed"
    state = Checkpoints(run.checkpoints).load()
    assert state is not None
    for name, value in run.network().state_dict().items():
        assert value.equal(state["network"][name])
    result = neuropil("predict", "run", numbers)
    assert result.code == 0
    assert "note: the training in run stopped with an error" in result.err


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_before_the_first_checkpoint_leaves_nothing(untrained, table, monkeypatch):
    monkeypatch.setattr("neuropil.core.atomic.os.fsync", full_disk)
    assert "No space left on device" in untrained("--data", table)


def test_a_full_disk_later_keeps_what_was_reached(neuropil, refused, table, monkeypatch):
    save = Checkpoints.save

    def save_once(self, state, step):
        if self.newest() is not None:
            full_disk()
        return save(self, state, step)

    command = ["train", "--data", table, "--out", "run", "--epochs", "30", *QUICK[2:]]
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save_once)
        assert "No space left on device" in refused(*command)
    assert Run.open("run").status == "failed"
    assert neuropil("resume", "run", "--quiet").code == 0
    assert Run.open("run").status == "finished"
    assert len(Run.open("run").history()) == 30


# Prediction and evaluation


def test_a_picture_of_another_size_and_colour_is_fitted_and_that_is_said(neuropil, trained):
    colours = np.zeros((20, 30, 3), np.uint8)
    colours[:, :, 0] = 200
    Image.fromarray(colours).save("red.png")
    result = neuropil("predict", trained / "bars-run", "red.png")
    assert result.code == 0
    assert "converted to grey and resized to 8×8 (it is 20×30)" in result.err
    assert result.out.startswith("red.png: ")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("gone.png", None, "gone.png"),
        ("junk.png", b"junk", "junk.png cannot be used: it is not a picture"),
        ("table.csv", b"a,b\n1,2\n", "cannot be used with this network"),
    ],
)
def test_files_that_cannot_be_predicted(refused, trained, tmp_path, name, content, line):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert line in refused("predict", trained / "bars-run", name)


def test_a_table_without_the_columns(refused, trained, tmp_path):
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    assert "lacks the columns 'size', 'kind'" in refused(
        "predict", trained / "table-run", "other.csv"
    )
    assert "lacks the target column 'level'" in refused(
        "evaluate", trained / "table-run", "--data", "other.csv"
    )


def test_options_of_predict_out_of_their_range(refused, trained):
    command = ["predict", trained / "table-run", trained / "table.csv"]
    assert "--top must be at least 1" in refused(*command, "--top", 0)
    line = refused(*command, "--out", "x.txt")
    assert "--out must name a .csv or .parquet or .json file" in line


# Damaged run folders

NEEDED = {
    "run.json": ("predict", "evaluate", "resume"),
    "network.json": ("predict", "evaluate", "resume", "summary"),
    "weights.safetensors": ("predict", "evaluate", "resume"),
    "checkpoints": ("resume",),
    "history.csv": (),
    "report.html": (),
}


def damage(path, how: str) -> None:
    for file in path.iterdir() if path.is_dir() else [path]:
        if how == "missing":
            file.unlink()
        elif how == "truncated":
            file.write_bytes(file.read_bytes()[:40])
        else:
            file.write_bytes(zlib.compress(b"something else altogether"))


@pytest.mark.parametrize("how", ["missing", "truncated", "replaced"])
@pytest.mark.parametrize("name", NEEDED)
def test_each_file_of_a_run_damaged_in_turn(neuropil, refused, copied, trained, name, how):
    run = copied("table-run", finished="interrupted")
    damage(run / name, how)
    commands = {
        "predict": ["predict", run, trained / "table.csv"],
        "evaluate": ["evaluate", run],
        "summary": ["summary", run],
        "resume": ["resume", run, "--quiet"],
    }
    for command, arguments in commands.items():
        if command in NEEDED[name]:
            assert str(run) in refused(*arguments)
        else:
            assert neuropil(*arguments).code == 0


def test_a_setting_that_is_gone_is_named(refused, copied):
    run = copied("table-run", finished="interrupted", batch_size="batch")
    assert "its settings lack 'batch_size'" in refused("resume", run)


def test_a_training_that_has_not_ended_is_not_used(refused, copied, trained):
    run = copied("table-run", finished="running")
    line = refused("predict", run, trained / "table.csv")
    assert f"has not finished; resume it with: neuropil resume {run}" in line
