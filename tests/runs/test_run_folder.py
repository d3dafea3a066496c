import json
import os
import re
import subprocess
import sys

import pytest
import torch
from PIL import Image

from neuropil.core import Network
from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    Dataset,
    Numbers,
    Splits,
    Target,
    load_handwritten_digits,
)
from neuropil.datasets.fingerprint import fingerprint
from neuropil.layers import Flatten, Input, Linear, Relu, Sigmoid, Softmax
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for
from neuropil.training.history import History

SETTINGS = {"data": None, "epochs": 3, "lr": 0.1}


def splits_of(target: Target, targets: torch.Tensor, shift: float = 0.0) -> Splits:
    inputs = torch.arange(24.0).reshape(8, 3) + shift
    return Splits(
        Dataset(inputs[:6], targets[:6]),
        Dataset(inputs[6:], targets[6:]),
        preparation=ArrayPreparation((3,), target),
        source="here",
    )


@pytest.fixture
def classes() -> Splits:
    return splits_of(Classes(["no", "yes"]), torch.tensor([0, 1] * 4))


@pytest.fixture
def network() -> Network:
    return Input(3) >> Relu(4) >> Softmax(2)


def test_a_new_run_holds_the_facts_and_the_network(tmp_path, network, classes):
    run = Run.create(
        tmp_path / "runs" / "one", network, classes, task_for(classes.target), SETTINGS
    )
    assert run.status == "running"
    plain = json.loads((run.path / "run.json").read_text())
    assert plain["format"] == 1
    assert plain["settings"] == SETTINGS
    assert set(plain["versions"]) == {"neuropil", "python", "torch", "numpy"}
    assert plain["data"]["train"] == 6
    assert sorted(p.name for p in run.path.iterdir()) == [
        "checkpoints", "network.json", "run.json", "weights.safetensors",
    ]  # fmt: skip


def test_what_was_written_is_read(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    run.figures["test"] = {"accuracy": 0.5, "r2": float("nan")}
    run.status = "finished"
    history = History([{"epoch": 1, "loss": 0.1}])
    run.write_result(network, history)
    again = Run.open(str(run.path))
    assert again.status == "finished"
    assert again.settings == SETTINGS
    assert again.figures == {"test": {"accuracy": 0.5, "r2": None}}  # JSON has no NaN
    assert again.task == task_for(classes.target)
    assert again.task.target.classes == ("no", "yes")
    assert again.history() == history
    x = torch.randn(5, 3)
    torch.testing.assert_close(again.network()(x), network(x))


def test_a_folder_that_holds_something_is_refused(tmp_path, network, classes):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(FileExistsError, match="name a new folder"):
        Run.create(tmp_path, network, classes, task_for(classes.target), SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_older_run_in_the_place_can_be_resumed_instead(tmp_path, network, classes):
    Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    with pytest.raises(FileExistsError, match=r"neuropil resume .*one"):
        Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)


def test_discarding_removes_a_run_without_checkpoints_only(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    (run.checkpoints / "step-000000001.pt").write_bytes(b"state")
    run.discard()
    assert run.path.is_dir()
    (run.checkpoints / "step-000000001.pt").unlink()
    run.discard()
    assert not run.path.exists()


def test_a_creation_that_fails_leaves_nothing(tmp_path, network, classes):
    with pytest.raises(TypeError):
        Run.create(
            tmp_path / "one", network, classes, task_for(classes.target), {"data": object()}
        )
    assert list(tmp_path.iterdir()) == []


def test_only_one_process_trains_in_a_folder(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    script = f"""
from neuropil.runs.run_facts import lock_folder
from pathlib import Path
lock_folder(Path({str(run.path)!r}))
print("held", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match="another process is training"), run.lock():
            pass
        other.kill()
    with run.lock():  # the system has let go of the dead one's lock
        pass


def test_the_fingerprint_follows_the_data_and_their_preparation(classes):
    target = classes.preparation.target
    targets = torch.tensor([0, 1] * 4)
    assert fingerprint(classes) == fingerprint(splits_of(target, targets))
    others = [
        splits_of(target, targets, shift=1e-3),
        splits_of(target, targets.flip(0)),
        splits_of(Classes(["a", "b"]), targets),
        Splits(classes.train, None, preparation=classes.preparation, source="here"),
    ]
    assert len({fingerprint(splits) for splits in (classes, *others)}) == 5


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "run.json is damaged"),
        (b"{", "run.json is damaged"),
        (b"\xff\xfe", "run.json is damaged"),
        (b"[" * 100_000, "run.json is damaged"),
        (b"[]", "has no format number"),
        (b'{"format": 2}', "format 2, and this version reads up to 1"),
        (b'{"format": 1, "status": "finished"}', "settings and versions and data"),
    ],
)
def test_a_damaged_run_json_is_named(tmp_path, content, line):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=line):
        Run.open(tmp_path)


def test_a_place_without_a_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no run\.json"):
        Run.open(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no run folder"):
        Run.open(tmp_path / "nowhere")


def test_a_preparation_that_is_no_such_thing_is_named(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    run.data["preparation"] = {"kind": "table"}
    run.save()
    with pytest.raises(ValueError, match=r"run\.json.*damaged"):
        Run.open(run.path)


def test_a_network_of_another_run_is_refused(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    (Input(3) >> Softmax(5)).save(run.path)
    with pytest.raises(ValueError, match=r"does not belong to run\.json"):
        run.network()


def test_a_damaged_history_is_named(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    (run.path / "history.csv").write_text("epoch,loss\n1,bad\n")
    with pytest.raises(ValueError, match=r"history\.csv"):
        run.history()


# Predictions


def with_network(tmp_path, network, splits) -> Run:
    return Run.create(tmp_path / "one", network, splits, task_for(splits.target), SETTINGS)


def test_probabilities_come_from_softmax_whether_the_network_has_it_or_not(tmp_path, classes):
    x = classes.train.inputs
    scores = Input(3) >> Linear(2)
    run = with_network(tmp_path, scores, classes)
    torch.testing.assert_close(run.predict(x), scores(x).softmax(1).detach())
    soft = Input(3) >> Softmax(2)
    torch.testing.assert_close(run.predict(x, soft), soft(x).detach())


def test_one_score_for_two_classes_gives_both_probabilities(tmp_path, classes):
    x = classes.train.inputs
    sure = Input(3) >> Sigmoid(1)
    run = with_network(tmp_path, sure, classes)
    yes = sure(x).detach()
    torch.testing.assert_close(run.predict(x), torch.cat([1 - yes, yes], 1))
    raw = Input(3) >> Linear(1)
    yes = raw(x).sigmoid().detach()
    torch.testing.assert_close(run.predict(x, raw), torch.cat([1 - yes, yes], 1))


def test_numbers_come_back_in_their_own_units(tmp_path):
    prices = torch.tensor([100.0, 300.0] * 4)  # mean 200, deviation 100
    splits = splits_of(Numbers.fit(prices, "here", name="price"), prices)
    network = Input(3) >> Linear(1)
    run = with_network(tmp_path, network, splits)
    x = splits.train.inputs
    expected = network(x).detach()[:, 0].double() * 100 + 200
    torch.testing.assert_close(run.predict(x), expected)


def test_new_examples_are_read_as_the_training_data_were(tmp_path):
    digits = load_handwritten_digits()
    network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
    run = with_network(tmp_path, network, digits)
    grey = (digits.train.inputs[3, 0] * 15).clamp(max=255).to(torch.uint8).numpy()
    Image.fromarray(grey).save(tmp_path / "digit.png")
    given = run.read([tmp_path / "digit.png"])
    assert given.names == ["digit.png"]
    torch.testing.assert_close(
        given.inputs[0, 0].float(), digits.train.inputs[3, 0].float(), atol=1, rtol=0
    )
    assert run.predict(given.inputs).shape == (1, 10)


def test_a_network_for_other_inputs_does_not_belong_to_the_run(tmp_path, classes):
    run = with_network(tmp_path, Input(3) >> Softmax(2), classes)
    (Input(4) >> Softmax(2)).save(run.path)
    with pytest.raises(ValueError, match=r"network\.json does not belong .* shape \(3\)"):
        run.network()


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("figures", "test", -1),
        ("figures", "test", {"loss": {}}),
        ("figures", "train", {"accuracy": "high"}),
        ("settings", "encoding", 1.5),
        ("settings", "epochs", {"a": 1}),
        ("settings", "epochs", True),
        ("settings", "lr", float("inf")),
        ("settings", "schedule", 1e308),
        ("settings", "then", [[32, 32], 5, 1]),
        ("settings", "image_size", [1]),
        ("settings", "threads", -1),
        ("settings", "threads", 10**12),
    ],
)
def test_values_of_another_type_are_refused_when_a_run_is_opened(
    tmp_path, network, classes, field, name, value
):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    file = run.path / "run.json"
    plain = json.loads(file.read_text())
    plain[field][name] = value
    file.write_text(json.dumps(plain))
    with pytest.raises(ValueError, match=f"run.json is damaged: {name} in its {field} cannot"):
        Run.open(run.path)


def test_a_setting_that_no_training_goes_without_is_not_null(tmp_path, network, classes):
    run = Run.create(tmp_path / "one", network, classes, task_for(classes.target), SETTINGS)
    run.require("data")
    with pytest.raises(ValueError, match="its settings lack 'data'"):
        run.require("epochs", "data", may_be_null=False)


def test_a_notebook_shows_a_run(tmp_path, network, classes):
    task = task_for(classes.target)
    run = Run.create(tmp_path / "a<b>", network, classes, task, SETTINGS)
    run.figures = {"train": {"loss": 0.5}, "test": {"loss": 0.25, "accuracy": None}}
    assert repr(run) == f"Run({str(tmp_path / 'a<b>')!r}, running)"
    page = run._repr_html_()
    assert "a&lt;b&gt;" in page
    for fact in ("running", "classification", "here · 6 train · 2 validation", "lr 0.1"):
        assert fact in page
    rows = re.findall(r"<tr><td>(\w+)</td>" + "<td[^>]*>([^<]*)</td>" * 2, page)
    assert rows == [("loss", "0.5", "0.25"), ("accuracy", "", "")]
