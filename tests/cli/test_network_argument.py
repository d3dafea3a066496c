"""What `--network` may be: a path, a public name or an expression, and which fits the data."""

import pytest

from neuropil.cli.network_argument import is_path
from neuropil.layers import Elementwise, Input, Linear, Relu, Sigmoid, Softmax, parallel


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("saved", True),  # there is such a folder
        ("unsaved", False),
        ("unsaved.json", True),
        ("folder/unsaved", True),
        ("resnet50", False),
        ("Relu(4)", False),
        ("Relu(4) >> Softmax(2)", False),
        ("Relu(4, weight='folder/unsaved')", False),
        ("relu >> folder/unsaved", False),
        ("relu >> saved.json", False),
    ],
)
def test_a_path_is_told_from_a_name_and_an_expression(tmp_path, monkeypatch, text, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").mkdir()
    assert is_path(text) is expected


def test_a_saved_network_is_found_by_its_bare_name(neuropil):
    (Input(3) >> Relu(7) >> Softmax(2)).save("resnet50")
    assert "44" in neuropil("summary", "resnet50").out  # 7·(3 + 1) + 2·(7 + 1)


def test_spaces_around_a_name_are_no_part_of_it(neuropil):
    result = neuropil("summary", " dense ", "--input", "3")
    assert result.code == 0
    assert result.out == neuropil("summary", "dense", "--input", "3").out


@pytest.fixture
def three(tmp_path):
    """Return a table of three classes."""
    rows = [f"{x / 10},{x % 7},{('low', 'middle', 'high')[x // 30]}" for x in range(90)]
    (tmp_path / "three.csv").write_text("\n".join(["a,b,level", *rows, ""]))
    return "three.csv"


@pytest.fixture
def refused_network(refused):
    """Return a function that saves a network, trains it, and gives the line that refuses it."""

    def refuse(network, data):
        network.save("saved")
        return refused("train", "--data", data, "--network", "saved", "--out", "run")

    return refuse


def test_one_score_is_enough_for_two_classes_only(refused_network, three, numbers):
    line = refused_network(Input(2) >> Relu(4) >> Sigmoid(1), three)
    assert line.startswith(
        "the network gives (1), the data has 3 classes: end it with Softmax(3)"
    )
    line = refused_network(Input(2) >> Linear(2), numbers)
    assert "the network gives (2), the data has 1 numbers to meet" in line


def test_the_network_has_one_input_and_one_output(refused_network, three):
    two_inputs = (
        parallel(Input(2) >> Relu(4), Input(2) >> Relu(4)) >> Elementwise() >> Linear(3)
    )
    line = refused_network(two_inputs, three)
    assert "the network takes (2) and (2), the data has examples of shape (2): begin" in line
    two_outputs = Input(2) >> parallel(Softmax(3), Softmax(3))
    assert "the network gives (3) and (3)" in refused_network(two_outputs, three)


def test_an_architecture_of_the_zoo_names_classes(refused, numbers):
    line = refused("train", "--data", numbers, "--network", "resnet18", "--out", "run")
    assert line.startswith("resnet18 names classes")
    assert "Linear(1)" in line
