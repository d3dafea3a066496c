"""Nothing that is read from a file or a text is ever executed or imported by its name."""

import builtins
import importlib
import io
import json
import pickle
import pkgutil
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch

import neuropil
from neuropil import text as text_of_errors
from neuropil.architectures import load_weights, resnet20
from neuropil.classic import LVQ
from neuropil.cli import augmentation_text
from neuropil.core import Network
from neuropil.core.arguments import Arguments
from neuropil.core.name_lookup import plain_options
from neuropil.datasets import DataError, augmentation
from neuropil.datasets.arrays.array_file import ArrayFile, read_npy
from neuropil.datasets.preparations import preparation_from_json
from neuropil.layers import Input, Relu
from neuropil.optim import by_name, schedules
from neuropil.runs.classic_model import ClassicModel
from neuropil.runs.plain_network import KINDS, Reader, Writer
from neuropil.saving import network_files
from neuropil.saving.layer_catalogue import catalogue
from neuropil.training.checkpoints.checkpoint import Checkpoints
from neuropil.training.losses import losses
from neuropil.training.metrics import metrics

# What would show that something ran.
CANARY = "import builtins; builtins.canary = True"
RUNS = (
    "exec",
    "compile",
    "import",
    "os.system",
    "os.exec",
    "subprocess.Popen",
    "pickle.find_class",
)
REFUSED = (ValueError, TypeError, KeyError)

watching: list[list[str]] = []


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Keep what is run while somebody watches; hooks of the interpreter are never removed."""
    del arguments
    if watching and event in RUNS:
        watching[-1].append(event)


sys.addaudithook(note)


@contextmanager
def nothing_runs():
    """Fail when the block runs code, imports a module or starts a process."""
    builtins.canary = False
    watching.append([])
    try:
        yield
    finally:
        ran = watching.pop()
    assert not ran
    assert builtins.canary is False


def callables() -> list[str]:
    """Return dotted names of all callables of the package, of NumPy and of Python.

    One that many modules import has the dotted name of the first of them, and of its own.
    """
    names, seen = [], set()
    for info in pkgutil.walk_packages(neuropil.__path__, "neuropil."):
        if not info.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(info.name)).items():
                own = getattr(value, "__module__", "") == info.name
                if callable(value) and (own or id(value) not in seen):
                    names.append(f"{info.name}.{name}")
                    seen.add(id(value))
    for module in (np, builtins):
        names += [
            f"{module.__name__}.{name}"
            for name in dir(module)
            if callable(getattr(module, name))
        ]
    return names


@pytest.fixture(scope="module")
def names() -> list[str]:
    found = callables()
    assert "neuropil.core.generated_forward.function" in found
    assert "neuropil.lazy.load_on_use" in found
    assert len(found) > 3000
    return sorted({*found, *(name.rpartition(".")[2] for name in found)})


@pytest.fixture(scope="module")
def written() -> tuple[dict, dict]:
    """Return a fitted network as plain data and arrays."""
    writer = Writer()
    model = LVQ(random_state=0).fit([[0.0], [1.0], [5.0]], [0, 0, 1])
    plain = writer.network(model, "network")
    Reader(dict(writer.arrays)).network(plain)  # imports what it needs, this once
    return plain, writer.arrays


@pytest.fixture(autouse=True)
def no_suggestions(monkeypatch):
    """Leave out the search for a name that is nearly right, which takes most of the time."""
    monkeypatch.setattr(text_of_errors, "nearest_name", lambda name, known: None)


def refused_by(read, *arguments) -> bool:
    try:
        read(*arguments)
    except REFUSED as error:
        return "\n" not in str(error)
    return False


def test_no_callable_can_be_named_as_a_classic_network(names, written):
    plain, arrays = written
    with nothing_runs():
        for name in names:
            if name not in KINDS:
                asked = plain | {"type": name}
                assert refused_by(Reader(dict(arrays)).network, asked), name
                asked = {"type": name, "options": {"text": CANARY, "name": CANARY}}
                assert refused_by(Reader({}).network, asked), name


@pytest.mark.parametrize("option", ["init", "lr", "n_epochs", "random_state", "decay"])
def test_no_callable_can_be_an_option(names, written, option):
    plain, arrays = written
    words = {"kmeans", "sample", "linear", "constant"}
    with nothing_runs():
        for name in names:
            for value in (name, {name: CANARY}, {"type": name, "arguments": {"text": CANARY}}):
                if value not in list(words):
                    asked = plain | {"options": plain["options"] | {option: value}}
                    assert refused_by(Reader(dict(arrays)).network, asked), (name, value)


def test_no_callable_can_be_among_what_was_learnt(names, written):
    plain, arrays = written
    with nothing_runs():
        for name in names:
            for value in ({"array": name}, {name: CANARY}, [name, CANARY]):
                assert refused_by(Reader(dict(arrays)).value, value), (name, value)
            asked = plain | {"learnt": plain["learnt"] | {"prototypes_": name}}
            assert refused_by(Reader(dict(arrays)).network, asked), name


def test_a_model_file_runs_nothing(tmp_path):
    ClassicModel(LVQ(), 2).save(tmp_path)
    ClassicModel.load(tmp_path)
    plain = json.loads((tmp_path / "model.json").read_text())
    function = "neuropil.core.generated_forward.function"
    options, asked = plain["network"]["options"], {"init": {function: CANARY}}
    hostile = [
        plain | {"network": {"type": function, "options": {"text": CANARY}}},
        plain | {"network": plain["network"] | {"options": options | asked}},
        plain | {"arrays": {"table": {function: CANARY}}},
        plain | {"classes": {function: CANARY}},
        plain | {"limits": [function, CANARY]},
    ]
    with nothing_runs():
        for content in hostile:
            (tmp_path / "model.json").write_text(json.dumps(content))
            assert refused_by(ClassicModel.load, tmp_path)


def is_layer(name: str) -> bool:
    maker = catalogue().get(name)
    return isinstance(maker, type) and issubclass(maker, Arguments)


def test_no_callable_can_be_named_in_a_networks_structure(names):
    plain = network_files.to_plain(Input(2) >> Relu(3))
    network_files.from_plain(plain, "here")
    with nothing_runs():
        for name in names:
            if not is_layer(name):
                layer = {"type": name, "arguments": {"text": CANARY}}
                assert refused_by(network_files.layer_from_plain, layer), name
                module = {"torch": name, "arguments": {"text": CANARY}}
                wrapped = {"type": "Module", "arguments": {"module": module}}
                assert refused_by(network_files.layer_from_plain, wrapped), name
                relu = {"type": "Relu", "arguments": {"units": 3, "weight": layer}}
                assert refused_by(network_files.layer_from_plain, relu), name
        function = {
            "type": "neuropil.core.generated_forward.function",
            "arguments": {"text": CANARY},
        }
        asked = plain | {"layers": plain["layers"] | {"relu1": function}}
        assert refused_by(network_files.from_plain, asked, "here")


def test_no_callable_can_be_named_in_an_expression(names):
    Network.parse("Input(2) >> Relu(3)")
    known = {*catalogue(), *augmentation.__all__}
    with watched_parsing():
        for name in names:
            call = f"{name}({CANARY!r})"
            for text in (call, f"Input(2) >> Relu(3, weight={call})"):
                if name not in known:
                    assert refused_by(Network.parse, text), text
                    assert refused_by(augmentation_text.parse, text), text
            assert refused_by(plain_options, f"LVQ(lr={call})", LVQ)


@contextmanager
def watched_parsing():
    """Fail when the block runs code; reading an expression compiles it, into a tree alone."""
    builtins.canary = False
    watching.append([])
    try:
        yield
    finally:
        ran = set(watching.pop())
    assert ran <= {"compile"}
    assert builtins.canary is False


@pytest.mark.parametrize("read", [by_name, schedules.by_name, losses.by_name, metrics.by_name])
def test_no_callable_can_be_named_as_a_part_of_training(names, read):
    tables = {name.casefold() for name in names if not refused_by(read, name)}
    own = {name.rpartition(".")[2].casefold() for name in names if name.startswith("neuropil.")}
    # What is found by its bare name is of the table; nothing is found by a dotted one.
    assert tables <= own
    assert not any("." in name for name in tables)


def test_no_callable_can_be_named_as_a_preparation(names):
    with nothing_runs():
        for name in names:
            with pytest.raises(DataError):
                preparation_from_json({"kind": name, "text": CANARY})


class Hostile:
    """What runs a text when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (CANARY,)


def test_pickles_in_arrays_are_not_read(tmp_path):
    np.save(tmp_path / "one.npy", np.array([Hostile()] * 8, object), allow_pickle=True)
    np.savez(
        tmp_path / "two.npz", inputs=np.array([Hostile()] * 8, object), targets=np.arange(8)
    )
    builtins.canary = False
    with pytest.raises(DataError):
        read_npy(tmp_path / "one.npy")
    with pytest.raises(DataError):
        ArrayFile(tmp_path / "two.npz")["inputs"]
    assert builtins.canary is False


def test_pickles_in_checkpoints_are_not_read(tmp_path):
    Checkpoints(tmp_path).save({"state": 1}, 1)
    torch.save({"format": 1, "state": Hostile()}, tmp_path / "step-000000002.pt")
    torch.save({"format": Hostile()}, tmp_path / "step-000000003.pt")
    builtins.canary = False
    with pytest.warns(UserWarning, match="damaged checkpoints"):
        assert Checkpoints(tmp_path).load() == {"format": 1, "state": 1}
    assert builtins.canary is False


def test_pickles_in_place_of_weights_are_not_read(tmp_path):
    buffer = io.BytesIO()
    pickle.dump(Hostile(), buffer)
    network = Input(2) >> Relu(3)
    network.save(tmp_path)
    builtins.canary = False
    (tmp_path / "weights.safetensors").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="damaged"):
        Network.load(tmp_path)
    for name in ("weights.pt", "weights.safetensors"):
        torch.save({"weight": Hostile()}, tmp_path / name)
        with pytest.raises(ValueError, match=r"pickle|damaged|safetensors"):
            load_weights(network, tmp_path / name, resnet20)
    assert builtins.canary is False


def test_the_watch_sees_what_runs():
    with pytest.raises(AssertionError), nothing_runs():
        exec("pass")
    with pytest.raises(AssertionError), nothing_runs():
        exec(CANARY)
