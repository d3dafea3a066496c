"""Modules in Python files, named on the command line."""

import json
import sys
from pathlib import Path

import pytest

NET = """
import torch
from torch import nn
from neuropil.layers import Flatten, Input, Softmax
import neighbour

print("a file may print")


class Net(nn.Module):
    def __init__(self, width=neighbour.WIDTH):
        super().__init__()
        self.filters = nn.Conv2d(3, width, 3)
        self.classes = nn.Linear(width, 2)

    def forward(self, x):
        return self.classes(self.filters(x).mean((2, 3)))


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.classes = nn.LazyLinear(2)

    def forward(self, x):
        return self.classes(x.flatten(1))


class Sized(nn.Module):
    def __init__(self, size):
        super().__init__()


class Broken(nn.Module):
    def __init__(self):
        raise RuntimeError("no luck")


def build():
    return Net(4)


def leave():
    raise SystemExit("bye")


small = Net(2)
ours = Input(1, 2, 2) >> Flatten() >> Softmax(3)
number = 3
"""


@pytest.fixture(name="net")
def written_file(neuropil, tmp_path) -> str:
    del neuropil  # it makes the folder the current one
    Path("nets").mkdir()
    Path("nets/neighbour.py").write_text("WIDTH = 8")
    Path("nets/net.py").write_text(NET)
    return "nets/net.py"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("Net", 8 * 28 + 8 * 2 + 2), ("build", 4 * 28 + 4 * 2 + 2), ("small", 2 * 28 + 2 * 2 + 2)],
)
def test_a_class_a_function_and_a_module_are_shown(neuropil, net, name, parameters):
    path = list(sys.path)
    result = neuropil("summary", f"{net}:{name}", "--input", "3,16,16", "--json")
    assert result.code == 0
    plain = json.loads(result.out)
    assert plain["totals"]["parameters"] == parameters
    assert [row["name"] for row in plain["rows"]] == ["filters", "classes"]
    assert "a file may print" in result.err
    assert sys.path == path


def test_the_shape_builds_lazy_layers(neuropil, net):
    shown = json.loads(neuropil("summary", f"{net}:Lazy", "--input", "3,4,4", "--json").out)
    assert shown["totals"]["parameters"] == 2 * 48 + 2


def test_a_network_of_ours_needs_no_shape(neuropil, net):
    assert "softmax1" in neuropil("summary", f"{net}:ours").out


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (":Sized", "nets/net.py:Sized needs arguments: missing a required argument: 'size'."),
        (":Broken", "Broken cannot be called, line 36: RuntimeError: no luck."),
        (":leave", "leave cannot be called, line 44: SystemExit: bye."),
        (":number", "must be a torch.nn.Module, or a class or function that makes one, got 3."),
        (
            ":Nat",
            "nets/net.py has no 'Nat'. Did you mean 'Net'? It has Net, Lazy, Sized, Broken,",
        ),
        (
            "",
            "name what to show, as in nets/net.py:Net. It has Net, Lazy, Sized, Broken, build,",
        ),
        (":Net", "Net can only be analysed with an input: give a shape"),
    ],
)
def test_what_cannot_be_shown_is_one_line(refused, net, name, line):
    assert line in refused_apart_from_prints(refused, f"{net}{name}")


def refused_apart_from_prints(refused, text: str) -> str:
    source = Path("nets/net.py").read_text().replace('print("a file may print")', "")
    Path("nets/net.py").write_text(source)
    return refused("summary", text)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import nothing_like_it", "line 1: ModuleNotFoundError: No module named 'nothing"),
        ("x = 1\ny = (", "line 2: SyntaxError: "),
        (
            "x = 1 / 0",
            "bad.py cannot be imported, line 1: ZeroDivisionError: division by zero.",
        ),
    ],
)
def test_a_file_that_fails_names_the_line(refused, source, line):
    Path("bad.py").write_text(source)
    assert line in refused("summary", "bad.py:Net")


def test_a_missing_file_is_refused(refused):
    assert refused("summary", "none.py:Net") == "file not found: none.py."


def test_a_file_is_only_run_when_it_is_named(neuropil, tmp_path):
    Path("side.py").write_text("from pathlib import Path; Path('ran').touch()")
    neuropil("summary", "side")
    neuropil("sheet", "side.py:Net")
    assert not Path("ran").exists()
    neuropil("summary", "side.py:Net")
    assert Path("ran").exists()
