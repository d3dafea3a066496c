import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.streamed import streamed

from neuropil.cli import finish, plan, run_data, training_run
from neuropil.core import Network
from neuropil.runs.classic_model import ClassicModel
from neuropil.runs.inspection import self_check
from neuropil.runs.recipes import default_recipes
from neuropil.runs.run_folder import Run
from neuropil.training import Trainer
from neuropil.training.threads import use_threads

QUICK = ("--epochs", "2", "--threads", "1", "--quiet")


def read_json(path):
    return json.loads(path.read_text())


def test_training_leaves_a_whole_run_folder(neuropil, table, tmp_path):
    result = neuropil("train", "--data", table, "--out", "run", *QUICK)
    assert (result.code, result.out) == (0, "run\n")
    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoints", "history.csv", "network.json", "report.html", "run.json",
        "weights.safetensors",
    ]  # fmt: skip
    facts = read_json(run / "run.json")
    assert facts["format"] == 1
    assert facts["status"] == "finished"
    assert facts["settings"]["epochs"] == 2
    assert facts["settings"]["data"] == str(table)
    assert facts["data"]["preparation"]["target"]["classes"] == ["high", "low"]
    assert facts["data"]["task"] == {
        "name": "classification", "loss_name": "cross_entropy", "positive": None,
        "threshold": None,
    }  # fmt: skip
    assert facts["data"]["test"] == 16
    assert set(facts["figures"]) == {"train", "validation", "test"}
    assert set(facts["figures"]["test"]) == {
        "loss", "accuracy", "balanced_accuracy", "f1", "average_precision", "roc_auc",
    }  # fmt: skip
    with (run / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2


def test_the_plan_and_the_outcome_are_said(neuropil, table):
    result = neuropil("train", "--data", table, "--out", "run", *QUICK[:-1])
    assert result.code == 0
    for part in (
        "2 classes of 'level' (high, low); 56 rows of 3 numbers to train on",
        "Network  Input(3) >>",
        "Training 2 epochs",
        "Result   ",
        "of the 16 test examples classified correctly",
        "Report   run/report.html",
        "Next     neuropil predict run table.csv",
    ):
        assert part in result.out
    assert "note: Target 'level' holds 2 distinct words: classification" in result.err
    assert "epoch 1/2" in result.err


@pytest.mark.parametrize("kind", ["table", "numbers", "pictures"])
def test_a_check_learns_eight_examples_and_writes_nothing(neuropil, tmp_path, request, kind):
    data = request.getfixturevalue(kind)
    before = sorted(tmp_path.rglob("*"))
    result = neuropil("train", "--data", data, "--check", "--threads", "1")
    assert result.code == 0, result
    said = r"Check +the network can learn these labels: \w+²? \S+ on 8 training examples after "
    assert re.search(said + r"\d+ steps \(\d+ s\)\.", result.out)
    assert "Labels   training" in result.out
    assert sorted(tmp_path.rglob("*")) == before


def test_a_check_that_fails_says_why_and_ends_with_one(neuropil, pictures, monkeypatch):
    monkeypatch.setattr(self_check, "MOST_STEPS", 50)
    first, *others = pictures.rglob("*.png")
    for other in others:
        shutil.copy(first, other)
    options = ("--network", "Flatten() >> Softmax(2)", "--threads", "1", "--json")
    result = neuropil("train", "--data", pictures, "--check", *options)
    found = json.loads(result.out)["check"]
    assert (result.code, found["passed"], found["examples"]) == (1, False, 8)
    assert (found["metric"], found["value"]) == ("accuracy", 0.5)
    assert " are equal but have different labels" in found["failure"]


def test_a_check_is_for_networks_trained_in_steps(refused, table):
    line = refused("train", "--data", table, "--check", "--network", "pnn")
    assert line == (
        "--check is for networks that are trained in steps: pnn is fitted at once, so train it."
    )


def test_figures_of_a_regression_are_in_its_own_units(neuropil, trained):
    numbers, run = trained / "numbers.csv", Run.open(trained / "numbers-run")
    predicted = run.predict(run.read([numbers]).inputs).numpy()
    truth = 1000.5 + 50 * np.arange(80)
    said = neuropil("evaluate", run.path, "--data", numbers, "--json").out
    figures = json.loads(said)["figures"]
    errors = predicted - truth
    assert figures["mean_absolute_error"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert figures["root_mean_squared_error"] == pytest.approx((errors**2).mean() ** 0.5)
    assert figures["r2"] == pytest.approx(1 - (errors**2).mean() / truth.var(), rel=1e-3)
    assert figures["loss"] < figures["mean_absolute_error"] / 10


def test_the_accuracy_is_that_of_the_predictions(neuropil, trained):
    run = Run.open(trained / "bars-run")
    folder = trained / "bars"
    given = run.read([folder])
    classes = run.task.target.classes
    named = [classes[k] for k in run.predict(given.inputs).argmax(1).tolist()]
    # `read` keeps the order of the folder: first all that lie, then all that stand.
    right = np.mean(
        [a == b for a, b in zip(named, ["lying"] * 12 + ["standing"] * 12, strict=True)]
    )
    result = neuropil("evaluate", trained / "bars-run", "--data", folder, "--json")
    assert json.loads(result.out)["figures"]["accuracy"] == pytest.approx(right)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(neuropil, table, tmp_path):
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert (
            neuropil("train", "--data", table, "--seed", seed, "--out", out, *QUICK).code == 0
        )
    a, b, c = ((tmp_path / out / "weights.safetensors").read_bytes() for out in "abc")
    assert a == b != c


@pytest.mark.parametrize("network", [[], ["--network", "sofm"]])
def test_the_number_of_threads_is_kept_in_the_run(neuropil, table, monkeypatch, network):
    used = []
    fits = (Trainer, "fit"), (ClassicModel, "fit"), (finish, "measure")
    for place, name in fits:
        function = getattr(place, name)

        def noted(*arguments, function=function, **options):
            used.append(torch.get_num_threads())
            return function(*arguments, **options)

        monkeypatch.setattr(place, name, noted)
    monkeypatch.setattr("neuropil.training.threads.WORK", 1)
    before = torch.get_num_threads()
    with use_threads(3):
        options = network or ["--epochs", "2"]
        assert neuropil("train", "--data", table, "--out", "run", "--quiet", *options).code == 0
    run = Run.open("run")
    assert run.settings["threads"] == 3
    run.status = "running"
    run.save()
    with use_threads(2):
        assert neuropil("resume", "run", "--quiet").code == 0
    assert set(used) == {3}
    assert torch.get_num_threads() == before


def test_the_seed_draws_the_first_weights(neuropil, table):
    command = ["train", "--data", table, "--network", "Relu(4) >> Softmax(2)", "--lr", "1e-12"]
    weights = []
    for out, seed in (("a", 3), ("b", 4)):
        assert neuropil(*command, "--seed", seed, "--out", out, *QUICK).code == 0
        weights.append(Network.load(out).state_dict()["relu1.weight"])
    assert not np.allclose(*weights, atol=1e-3)


def test_without_data_the_handwritten_digits_are_learnt(neuropil):
    network = "Flatten() >> Softmax(10)"
    result = neuropil("train", "--network", network, "--out", "run", *QUICK)
    assert result.code == 0
    assert Run.open("run").data["source"] == "handwritten digits"
    assert "Input(1, 8, 8) was added" not in result.err  # quiet is quiet


def test_every_choice_reaches_the_training(neuropil, table):
    options = {
        "--optimizer": "momentum",
        "--lr": "0.02",
        "--batch-size": "7",
        "--schedule": "cosine",
        "--loss": "hinge",
        "--class-weight": "balanced",
        "--device": "cpu",
    }
    flat = [part for pair in options.items() for part in pair]
    assert neuropil("train", "--data", table, "--out", "run", *flat, *QUICK).code == 0
    settings = Run.open("run").settings
    for name, value in options.items():
        kept = settings[name.removeprefix("--").replace("-", "_")]
        assert str(kept) == value
    history = Run.open("run").history()
    assert history[0]["steps"] == 8  # 56 examples in batches of 7
    assert history[-1]["lr"] < 0.02


def test_a_recipe_is_chosen_and_the_reason_is_said(neuropil, table, monkeypatch):
    monkeypatch.setattr(default_recipes, "TABLE_STEPS", 20)
    result = neuropil("train", "--data", table, "--out", "run", "--threads", "1")
    assert result.code == 0
    settings = Run.open("run").settings
    assert settings["choice"] in " ".join(result.out.split())
    assert re.match(r"(linear model|\d+ epochs? with .+): .+, 5 tried", settings["choice"])
    assert neuropil("train", "--data", table, "--out", "again", "--quiet").code == 0
    assert settings["choice"] == Run.open("again").settings["choice"]


@pytest.mark.parametrize("option", ["--epochs", "--patience"])
def test_whoever_sets_the_training_gets_it_and_the_linear_start(neuropil, table, option):
    assert neuropil("train", "--data", table, "--out", "run", option, 1, "--quiet").code == 0
    run = Run.open("run")
    assert run.settings["choice"] == ""
    assert run.settings["keep_best"]
    assert "linear_path" in run.network().layers
    assert run.figures["test"]["accuracy"] > 0.9


def test_a_training_without_progress_ends_and_keeps_its_best_weights(neuropil, table):
    options = ["--epochs", 30, "--lr", 0.3, "--network", "Relu(9) >> Softmax(2)"]
    train = ["train", "--data", table, *options, "--schedule", "none", "--threads", "1"]
    result = neuropil(*train, "--patience", 2, "--out", "run")
    assert "note: training ended early: validation_loss was best in epoch" in result.err
    run = Run.open("run")
    assert (run.settings["patience"], run.settings["keep_best"]) == (2, True)
    losses = run.history()["validation_loss"]
    assert len(losses) < 30
    assert run.figures["validation"]["loss"] == pytest.approx(min(losses), rel=1e-4)
    assert neuropil(*train, "--patience", 2, "--no-keep-best", "--out", "last").code == 0
    last = Run.open("last")
    assert last.figures["validation"]["loss"] == pytest.approx(losses[-1], rel=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--patience", 0], "--patience must be at least 1, got 0."),
        (["--patience", 3, "--validation", 0], "--patience needs validation examples"),
        (["--keep-best", "--validation", 0], "--keep-best needs validation examples"),
        (["--patience", 3, "--network", "sofm"], "--patience"),
    ],
)
def test_early_stops_that_cannot_be_are_refused(refused, table, options, said):
    assert said in refused("train", "--data", table, *options)


def test_an_algorithm_comes_with_its_own_rate_unless_one_is_given(neuropil, table):
    assert (
        neuropil("train", "--data", table, "--optimizer", "sgd", "--out", "run", *QUICK).code
        == 0
    )
    settings = Run.open("run").settings
    assert (settings["lr"], settings["weight_decay"]) == (0.01, 0.0)


def test_the_target_and_the_task_may_be_named(neuropil, table):
    command = ["train", "--data", table, "--target", "kind", "--out", "run", *QUICK]
    assert neuropil(*command).code == 0
    assert Run.open("run").task.target.classes == ("a", "b")


def test_pictures_are_brought_to_the_size_asked_for(neuropil, pictures):
    command = ["train", "--data", pictures, "--image-size", "4x6", "--color", "rgb", *QUICK]
    assert neuropil(*command, "--network", "Flatten() >> Softmax(2)", "--out", "run").code == 0
    assert Run.open("run").data["input_shape"] == [3, 4, 6]


def test_augmentation_is_read_and_kept(neuropil, pictures):
    command = ["train", "--data", pictures, "--network", "Flatten() >> Softmax(2)", *QUICK]
    assert neuropil(*command, "--augment", "RandomShift(1)", "--out", "run").code == 0
    run = Run.open("run")
    assert run.settings["augment"] == "RandomShift(1)"
    assert plan.to_plain(run.task, plan.recipe_of(run)).items() <= run.settings.items()
    assert neuropil(*command, "--augment", "none", "--out", "plain").code == 0
    assert Run.open("plain").settings["augment"] == "none"


@pytest.mark.parametrize(
    ("augment", "line"),
    [
        (
            "RandomCrop(3)",
            r"RandomCrop\(3\) gives examples of shape .*3, 3\), the network takes",
        ),
        ("CutMix", "CutMix needs `classes`"),
        ("RandomFlip >> RandomCrop(2)", r"Input\(\d, None, None\)"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused_before_training(
    neuropil, pictures, augment, line
):
    refusal = neuropil(
        "train", "--data", pictures, *QUICK, "--augment", augment, "--out", "run"
    )
    assert refusal.code == 2
    assert re.search(line, refusal.err)
    assert "Training" not in refusal.out
    assert not Path("run").exists()


def test_one_score_is_enough_for_two_classes(neuropil, table):
    command = ["train", "--data", table, "--network", "Relu(4) >> Sigmoid(1)", "--out", "run"]
    assert neuropil(*command, *QUICK, "--epochs", 20, "--lr", 0.1).code == 0
    run = Run.open("run")
    assert run.settings["loss"] == "binary_cross_entropy"
    shares = run.predict(run.read([table]).inputs)
    assert shares.shape == (80, 2)
    # classes are (high, low), and the first half of the table is low
    right = np.mean(shares.argmax(1).numpy() == [1] * 40 + [0] * 40)
    measured = json.loads(neuropil("evaluate", "run", "--data", table, "--json").out)
    assert measured["figures"]["accuracy"] == pytest.approx(right)
    assert right > 0.8


def test_training_goes_on_from_the_weights_of_a_saved_network(neuropil, trained, tmp_path):
    old = trained / "table-run"
    command = ["train", "--data", trained / "table.csv", "--network", old, "--lr", "1e-12"]
    result = neuropil(*command, "--out", "run", *QUICK[:-1])
    assert result.code == 0
    assert "starts from the weights" in result.err
    before, after = Network.load(old).state_dict(), Network.load(tmp_path / "run").state_dict()
    for name, value in before.items():
        np.testing.assert_allclose(after[name].numpy(), value.numpy(), atol=1e-6)


def test_a_structure_from_a_file_gets_new_weights(neuropil, trained):
    structure = trained / "table-run" / "network.json"
    command = ["train", "--data", trained / "table.csv", "--network", structure]
    assert neuropil(*command, "--out", "run", *QUICK).code == 0


def test_the_default_folder_is_named_after_the_data_and_never_taken_twice(
    neuropil, table, tmp_path
):
    for _ in range(2):
        assert neuropil("train", "--data", table, *QUICK).code == 0
    names = [path.name for path in (tmp_path / "runs").iterdir()]
    assert len(names) == 2
    assert all(name.startswith("table-2") for name in names)


def test_an_empty_folder_may_be_given(neuropil, table, tmp_path):
    (tmp_path / "run").mkdir()
    assert neuropil("train", "--data", table, "--out", "run", *QUICK).code == 0


def test_a_report_that_fails_does_not_lose_the_run(neuropil, table, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("neuropil.report.write_report", fail)
    result = neuropil("train", "--data", table, "--out", "run", *QUICK)
    assert result.code == 0
    assert "No space left on device" in result.err
    assert Run.open("run").status == "finished"


def test_a_test_part_that_cannot_be_read_does_not_lose_the_run(neuropil, tmp_path):
    for part in ("train", "test"):
        (tmp_path / "data").mkdir(exist_ok=True)
        rows = [f"{x},{x % 2}" for x in range(40)]
        (tmp_path / "data" / f"{part}.csv").write_text("\n".join(["a,b", *rows]))
    (tmp_path / "data" / "test.csv").write_text("a,b\nword,1\n1,0\n2,1\n3,0\n")
    result = neuropil("train", "--data", "data", "--out", "run", *QUICK)
    assert result.code == 0, result
    assert "word" in result.err
    assert set(Run.open("run").figures) == {"train", "validation"}


@pytest.mark.slow
def test_the_whole_way_in_processes_of_their_own(pictures, tmp_path):
    def neuropil(*arguments: str) -> str:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "neuropil", *arguments],
            capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
            timeout=120,
        ).stdout  # fmt: skip

    trained = neuropil("train", "--data", "bars", "--epochs", "3", "--out", "run")
    assert "Report   run/report.html" in trained
    assert "<html" in (tmp_path / "run" / "report.html").read_text()[:500]
    assert neuropil("predict", "run", "bars/lying/00.png").startswith("00.png: ")


@pytest.mark.parametrize("network", ["Relu(8) >> Softmax(2)", "sofm(grid=(3, 3))"])
def test_data_that_are_not_in_memory_give_the_same_run(
    neuropil, table, tmp_path, monkeypatch, network
):
    options = ("train", "--data", table, "--network", network, *QUICK)
    assert neuropil(*options, "--out", "memory").code == 0
    opened = run_data.open_splits
    monkeypatch.setattr(training_run, "open_splits", lambda asked: streamed(opened(asked)))
    assert neuropil(*options, "--out", "streamed").code == 0
    facts = [read_json(tmp_path / run / "run.json") for run in ("memory", "streamed")]
    for part, figures in facts[0]["figures"].items():
        assert facts[1]["figures"][part] == pytest.approx(figures, rel=1e-6)


def test_weights_are_suggested_where_a_class_is_missed(neuropil):
    rows = [
        # Which rows are of the seldom class cannot be told by x.
        f"{k / 90},{'seldom' if k % 9 == 0 else 'high' if k > 45 else 'low'}"
        for k in range(90)
    ]
    Path("noise.csv").write_text("\n".join(["x,y", *rows]))
    advice = "Hardly any example of 'seldom' is found: --class-weight balanced gives"
    said = neuropil("train", "--data", "noise.csv", "--out", "run", *QUICK[:-1])
    assert advice in " ".join(said.err.split())
