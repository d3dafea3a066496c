"""Options of a training from a file."""

import json

import pytest

from neuropil.runs.run_folder import Run

SMALL = {"network": "Flatten() >> Softmax(2)", "epochs": 1, "threads": "1"}


def test_options_on_the_command_line_override_those_of_the_file(neuropil, pictures, tmp_path):
    lines = [f'data = "{pictures}"', 'network = "Flatten() >> Softmax(2)"', "epochs = 3"]
    (tmp_path / "small.toml").write_text("\n".join([*lines, "batch-size = 8", "seed = 7"]))
    command = ["train", "--seed", 0, "--config", "small.toml", "--epochs", 1, "--out", "run"]
    assert neuropil(*command, "--quiet").code == 0
    run = Run.open("run")
    assert {name: run.settings[name] for name in ("epochs", "batch_size", "seed")} == {
        "epochs": 1, "batch_size": 8, "seed": 0,
    }  # fmt: skip


def test_a_run_is_repeated_by_its_own_file(neuropil, pictures, tmp_path):
    plain = {**SMALL, "data": "bars", "seed": 5, "header": None}
    (tmp_path / "small.json").write_text(json.dumps(plain))
    assert neuropil("train", "--config", "small.json", "--out", "old", "-q").code == 0
    assert neuropil("train", "--config", "old/run.json", "--out", "new", "-q").code == 0
    weights = [
        (tmp_path / name / "weights.safetensors").read_bytes() for name in ("old", "new")
    ]
    assert weights[0] == weights[1]
    old, new = Run.open("old"), Run.open("new")
    assert (old.options, old.settings) == (new.options, new.settings)
    assert old.options == {**SMALL, "data": str(pictures), "seed": 5}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "epoch = 3", "unknown option 'epoch'. Did you mean 'epochs'?"),
        ("a.toml", "config = 'b.toml'", "unknown option 'config'"),
        ("a.toml", "epochs = ", "a.toml cannot be read: Invalid value"),
        ("a.toml", "[epochs]\na = 1", "epochs must be one value, got a table"),
        ("a.json", "[1]", "must hold options by name, got a list"),
        ("a.json", '{"format": 1, "settings": {}}', "does not have the options of the run"),
        ("a.toml", "epochs = 'many'", "Invalid value for '--epochs'"),
        ("a.yaml", "epochs: 3", "must name a .toml or .json file"),
    ],
)
def test_a_wrong_file_is_one_line(refused, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    assert message in refused("train", "--config", name)


def test_a_missing_file_is_named(refused):
    assert "nothing.toml" in refused("train", "--config", "nothing.toml")


def test_json_is_all_that_is_printed(neuropil, pictures):
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    result = neuropil("train", "--data", pictures, *options, "--out", "run", "--json")
    plain = json.loads(result.out)
    assert plain == {"run": "run", "figures": Run.open("run").figures}
    assert 0 <= plain["figures"]["test"]["accuracy"] <= 1
