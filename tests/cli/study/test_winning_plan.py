"""Training with what a study found: the training of the study, and a run like any other."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuropil.runs.run_folder import Run

NETWORK = "Convolution(3, 3) >> BatchNorm() >> Relu() >> GlobalPooling('avg') >> Softmax(2)"
STUDY = ("--network", NETWORK, "--epochs", 2, "--threads", 1, "--test", 0.5, "--seeds", 1)


@pytest.fixture
def study(neuropil, pictures):
    """Return a function that makes a study, and says which tricks help."""

    def made(tricks, *helping, options=()):
        command = ("study", pictures, *STUDY, "--tricks", tricks, "--out", "found", "-q")
        result = neuropil(*command, *options)
        assert result.code == 0, result.err
        return change(lambda plain: help_with(plain, helping))

    return made


def change(edit):
    """Edit the results of the study, and return them."""
    file = Path("found/study.json")
    plain = json.loads(file.read_text("utf-8"))
    edit(plain)
    file.write_text(json.dumps(plain), "utf-8")
    return plain


def help_with(plain, helping):
    """Make tricks the winners, together if there are several."""
    for each in plain["variants"]:
        if each["name"] in helping:
            each |= {"verdict": "helps", "gain": 1.0}
    if len(helping) > 1:
        plain["together"] = {"names": list(helping), "gain": 2.0}


@pytest.fixture
def train(neuropil):
    """Return a function that trains with what the study found: the run, and what is said."""

    def made(*options, out="run"):
        result = neuropil("train", "--from-study", "found", "--out", out, *options)
        assert result.code == 0, result.err
        return Run.open(out), result.out + result.err

    return made


def figure_of(found, name):
    """Return the outcome of the training of a variant with the first seed."""
    (own,) = (each for each in [found["baseline"], *found["variants"]] if each["name"] == name)
    return own["figures"][0]


@pytest.mark.parametrize("trick", ["tanh", "nesterov", "small_then_large"])
def test_it_is_the_training_of_the_study(study, train, trick):
    found = study(trick, trick, options=("--outcome", "log_loss"))
    run, said = train()
    assert run.figures["test"]["loss"] == pytest.approx(figure_of(found, trick))
    assert f"{trick}, as the study in" in run.settings["choice"]
    assert run.settings["from_study"].endswith("found")
    assert run.settings["choice"] in " ".join(said.split())


def test_a_table_whose_recipe_trials_choose_is_trained_as_in_the_study(
    neuropil, train, tmp_path
):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 100)).round(3)
    rows = [
        f"{x},{y},{'in' if x * x + y * y < 1.4 else 'out'}" for x, y in zip(a, b, strict=True)
    ]
    (tmp_path / "circle.csv").write_text("\n".join(["a,b,level", *rows, ""]))
    options = ("--tricks", "elu", "--seeds", 1, "--threads", 1, "--outcome", "log_loss")
    assert neuropil("study", "circle.csv", *options, "--out", "found", "-q").code == 0
    found = change(lambda plain: help_with(plain, ["elu"]))
    run, _ = train()
    assert run.figures["test"]["loss"] == pytest.approx(figure_of(found, "elu"))
    assert "errors: linear model" in run.settings["choice"]  # the trials
    assert "elu, as the study in" in run.settings["choice"]


def test_without_a_winner_the_baseline_is_trained(study, train):
    found = study("tanh")
    run, _ = train()
    assert run.figures["test"]["accuracy"] == pytest.approx(figure_of(found, "baseline") / 100)
    assert "found no change that helps" in run.settings["choice"]
    assert "Relu()" in repr(run.network())


def test_the_winners_together_are_a_run_like_any_other(study, train, neuropil):
    study("tanh,cosine_decay", "tanh", "cosine_decay")
    run, _ = train("--quiet")
    assert "Tanh()" in repr(run.network())
    assert run.settings["schedule"] == "cosine"
    assert neuropil("evaluate", "run").code == 0
    assert neuropil("resume", "run").code == 0
    assert neuropil("predict", "run", "bars/lying/00.png").code == 0
    again = neuropil("train", "--config", "run/run.json", "--out", "again", "-q")
    assert again.code == 0, again.err
    for name in ("network.json", "weights.safetensors"):
        files = [run.path / name, Run.open("again").path / name]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_pair_that_helps_is_trained(study, train):
    found = study("tanh+cosine_decay", "tanh+cosine_decay", options=("--outcome", "log_loss"))
    run, _ = train()
    expected = figure_of(found, "tanh+cosine_decay")
    assert run.figures["test"]["loss"] == pytest.approx(expected)


def test_pictures_are_read_at_the_size_that_helps(study, train, neuropil):
    study("half_size", "half_size")
    run, _ = train()
    assert run.settings["image_size"] == [4, 4]
    assert run.network().input_shape == (1, 4, 4)
    assert neuropil("evaluate", "run").code == 0


def test_options_override_the_study(study, train):
    study("nesterov,tanh", "nesterov", "tanh", options=("--lr", 0.1))
    run, said = train("--lr", 0.2, "--epochs", 1)
    own = [run.settings[name] for name in ("lr", "epochs", "optimizer")]
    assert own == [0.2, 1, "momentum(nesterov=True)"]
    assert "left out" not in said
    run, said = train("--optimizer", "sgd", "--seed", 3, out="other")
    assert run.settings["optimizer"] == "sgd"
    assert "nesterov is left out: --optimizer sets what it changes" in said
    assert "the data differ from those of the study" in said  # another seed, another split
    assert run.settings["choice"].startswith("tanh, as")


def test_a_trick_that_no_longer_applies_is_left_out(study, train):
    study("tanh", "tanh")
    _, said = train("--network", "Flatten() >> Tanh(4) >> Softmax(2)")
    assert "tanh is left out: the network has no ReLU" in said
    change(lambda plain: plain["variants"][0].update(name="tahn"))
    _, said = train(out="other")
    assert "tahn is left out: the trick 'tahn' is unknown" in said


def test_data_without_files_cannot_be_read_at_another_size(neuropil, study, train):
    command = ("study", "--tricks", "half_size", "--epochs", 1, "--seeds", 1, "--out", "found")
    assert neuropil(*command, "--threads", 1).code == 0
    change(lambda plain: help_with(plain, ["half_size"]))
    _, said = train()
    assert "half_size is left out: these data cannot be read at another size" in said


def test_a_check_is_one_of_the_winner(study, neuropil):
    study("tanh", "tanh")
    assert "Tanh()" in neuropil("train", "--from-study", "found", "--check").out


@pytest.mark.parametrize(
    ("edit", "options", "words"),
    [
        (lambda plain: plain.update(format=99), (), "update neuropil"),
        (lambda plain: plain.pop("variants"), (), "is not a study: it lacks 'variants'"),
        (lambda plain: plain["variants"][0].pop("gain"), (), "a study: it lacks 'gain'"),
        (lambda plain: plain.update(options=None), (), "only a study that `neuropil study`"),
        (lambda plain: plain.update(options={"lrs": 1}), (), "unknown option 'lrs'"),
        (lambda plain: None, ("--weights", "imagenet"), "--weights does not suit"),
        (lambda plain: None, ("--network", "pnn"), "from-study"),
    ],
)
def test_what_cannot_be_used_is_one_line(study, refused, edit, options, words):
    study("tanh", "tanh")
    change(edit)
    assert words in refused("train", "--from-study", "found", *options)


def test_trained_weights_are_refused(study, refused, trained):
    study("tanh", "tanh")
    options = ("--network", trained / "bars-run")
    assert "newly drawn weights" in refused("train", "--from-study", "found", *options)


def test_what_is_no_study_is_refused(refused, pictures, trained):
    assert "bars has no study.json" in refused("train", "--from-study", pictures)
    assert "there is no study nothing" in refused("train", "--from-study", "nothing")
    run = trained / "bars-run" / "run.json"
    assert "is not a study" in refused("train", "--from-study", run)


def test_the_learning_rate_that_was_chosen_is_used(study, train):
    found = study("tanh", "tanh", options=("--tune-lr", "--lr", 0.01))
    (tanh,) = found["variants"]
    run, _ = train()
    assert run.settings["lr"] == 0.01 * tanh["lr"]
    change(lambda plain: plain["variants"][0].update(lr=2.0))
    run, _ = train(out="faster")
    assert run.settings["lr"] == 0.02
    run, _ = train("--lr", 0.3, out="own")
    assert run.settings["lr"] == 0.3
