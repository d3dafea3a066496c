"""Summaries and pictures of modules that know nothing of Neuropil."""

import re
from xml.etree import ElementTree

import pytest
import torch
from tests.reference import torchvision
from torch import nn

from neuropil import ShapeError
from neuropil.analysis import cost, count_parameters, diagram, summary
from neuropil.layers import Convolution, Input, Relu

# One or two of each family.
PUBLISHED = {
    *("alexnet", "vgg11", "squeezenet1_0", "squeezenet1_1", "resnet18", "resnet50"),
    *("densenet121", "mobilenet_v2", "googlenet", "inception_v3"),
}

SVG = "{http://www.w3.org/2000/svg}"


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x):
        return torch.relu(x + self.scale * self.second(torch.relu(self.first(x))))


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.blocks = nn.Sequential(Block(4), Block(4))
        self.weight = nn.Parameter(torch.rand(2, 4))
        self.unused = nn.Linear(7, 7)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return x.mean((2, 3)) @ self.weight.T


@pytest.fixture(scope="module")
def table():
    return summary(Whole(), (3, 21, 21), depth=2)


def test_rows_are_the_calls_of_parts(table):
    assert [(row.name, row.depth) for row in table.rows] == [
        *(("stem", 0), ("blocks", 0), ("blocks.0", 1), ("blocks.0.(itself)", 2)),
        *(("blocks.0.first", 2), ("blocks.0.second", 2)),
        *(("blocks.1", 1), ("blocks.1.(itself)", 2)),
        *(("blocks.1.first", 2), ("blocks.1.second", 2), ("whole", 0)),
    ]
    rows = {row.name: row for row in table.rows}
    assert rows["blocks"].parameters == 2 * (2 * 148 + 4)
    assert rows["blocks"].multiply_adds == 4 * 100 * 36 * 4
    assert rows["blocks.0.(itself)"].parameters == 4
    assert rows["blocks.0.first"].output_shape == (1, 4, 10, 10)
    assert rows["blocks.0.first"].input_shapes == ((1, 4, 10, 10),)
    assert rows["blocks.0.second"].receptive_field == (11, 11)
    assert rows["blocks.1"].receptive_field == (19, 19)
    # What is the whole's own: a product, its weight, and a part that never ran.
    assert rows["whole"].multiply_adds == 8
    assert rows["whole"].parameters == 8 + 56


def test_totals_add_up(table):
    outer = [row for row in table.rows if not row.depth]
    assert sum(row.parameters for row in outer) == table.totals.parameters
    assert table.totals.parameters == count_parameters(Whole())
    assert sum(row.multiply_adds for row in outer) == table.totals.multiply_adds
    assert sum(row.training_bytes for row in outer) == table.totals.training_bytes
    assert cost(Whole(), (3, 21, 21)).training_bytes == table.totals.training_bytes


def test_depth():
    names = [row.name for row in summary(Whole(), (3, 21, 21), depth=0).rows]
    assert names == ["stem", "blocks", "whole"]
    assert len(summary(Whole(), (3, 21, 21)).rows) == 5


def test_a_module_without_parts_is_one_row():
    table = summary(nn.Linear(4, 3), (4,))
    assert [(row.name, row.layer, row.depth) for row in table.rows] == [
        ("linear", "Linear(in_features=4, out_features=3, bias=True)", 0)
    ]


def test_parts_called_again_share_their_parameters():
    layer = nn.Linear(4, 4)
    table = summary(nn.Sequential(layer, nn.ReLU(), layer), (4,))
    assert [(row.name, row.parameters, row.shared) for row in table.rows] == [
        ("0", 20, False),
        ("1", 0, False),
        ("0@2", 0, True),
    ]
    assert "shared" in str(table)


def test_tied_weights_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.enter, self.leave = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
            self.leave.weight = self.enter.weight

        def forward(self, x):
            return self.leave(self.enter(x))

    table = summary(Tied(), (6,))
    assert table.totals.parameters == 40
    assert [row.parameters for row in table.rows] == [40, 0]
    assert table.totals.multiply_adds == 240


def test_frozen_parameters_are_told_apart():
    module = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 2))
    totals = summary(module, (4,)).totals
    assert (totals.trainable, totals.frozen, totals.parameter_bytes) == (10, 20, 120)


def test_text_and_html(table):
    text = table.text(100)
    assert max(map(len, text.splitlines())) <= 100
    assert "for this input" in text
    assert "Whole itself" in text
    page = table._repr_html_()
    assert "(1, 4, 10, 10)" in page
    assert table.to_dict()["totals"]["parameters"] == table.totals.parameters


@pytest.mark.slow
def test_published_figures(data):
    rows = (data / "published" / "architectures.csv").read_text().splitlines()[1:]
    models = torchvision().models
    for row in rows:
        reference, name, parameters, multiply_adds, side = row.split(",")
        plain = re.sub("_(no|with)_aux", "", name)
        if not reference.startswith("torchvision") or plain not in PUBLISHED:
            continue
        options = {}
        if plain in {"googlenet", "inception_v3"}:
            options = {"aux_logits": not name.endswith("no_aux"), "init_weights": False}
        with torch.device("meta"):
            module = getattr(models, plain)(weights=None, **options)
        found = cost(module, (3, int(side), int(side)))
        assert round(found.multiply_adds / 1e9, 4) == float(multiply_adds), name
        assert count_parameters(module) == int(parameters), name


def test_our_networks_take_example_tensors_too():
    network = Input(3, None, None) >> Convolution(4, 3) >> Relu()
    assert (
        summary(network, torch.zeros(5, 3, 9, 9)).totals == summary(network, (3, 9, 9)).totals
    )


# Pictures


def boxes(picture):
    """Return what stands in each box."""
    root = ElementTree.fromstring(str(picture))
    groups = list(root.iter(f"{SVG}g"))
    texts = [[text.text for text in group.findall(f"{SVG}text")] for group in groups]
    lines = [path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    return texts, lines


def test_parts_and_what_is_done_between_them():
    texts, lines = boxes(diagram(Whole(), (3, 21, 21)))
    names = [name for name, *_ in texts]
    block = ["relu", "mul", "add", "relu"]
    assert sorted(names) == sorted(
        [
            *("x", "stem", *block, *block, "mean"),
            *(f"blocks.{i}.{part}" for i in (0, 1) for part in ("first", "second")),
            "mm",
        ]
    )
    # A line leads to each box but the input's, and two to each sum.
    assert len(lines) == len(names) - 1 + 2
    (stem,) = (each for each in texts if each[0] == "stem")
    assert stem[2] == "1 × 4 × 10 × 10"


def test_a_module_without_parts_is_drawn():
    texts, lines = boxes(diagram(nn.Linear(4, 3), (4,)))
    assert len(texts) == 2
    assert len(lines) == 1


def test_wrong_input_is_said():
    with pytest.raises(ShapeError, match=r"Whole fails on an input of \(1, 4, 21, 21\)"):
        diagram(Whole(), (4, 21, 21))
