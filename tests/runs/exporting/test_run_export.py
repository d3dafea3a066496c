import importlib.util
import json

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil import datasets
from neuropil.classic import SOFM
from neuropil.datasets.preparations import preparation_from_json
from neuropil.datasets.source import Batch
from neuropil.layers import Input, Linear, Sigmoid, Softmax
from neuropil.runs.classic_model import ClassicModel
from neuropil.runs.exporting import run_export
from neuropil.runs.exporting.run_export import export
from neuropil.runs.measure import outputs_of
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for


def write_table(folder, labels=("a", "b")):
    """Write a table of two numbers with two classes."""
    path = folder / "table.csv"
    rows = [f"{x},{x % 7},{labels[x % 2]}" for x in range(40)]
    path.write_text("\n".join(["size,kind,level", *rows, ""]))
    return path


def run_on(data, folder, network, **options):
    """Return the run of a network with its initial weights, normalised on the data."""
    splits = datasets.open(data, **options)
    task = task_for(splits.target).adapt_to(network)
    network.reset_parameters(torch.Generator().manual_seed(0))
    network.normalize(splits.train.fetch(range(len(splits.train))).inputs)
    return Run.create(folder / "run", network, splits, task, {"data": str(data)})


@pytest.fixture
def run(tmp_path):
    return run_on(write_table(tmp_path), tmp_path, Input(2) >> Softmax(2))


def loaded(path):
    """Return the module in a .pt2 file and the facts that were stored with it."""
    extra = {"facts.json": ""}
    module = torch.export.load(path, extra_files=extra).module()
    return module, json.loads(extra["facts.json"])


def test_a_pt2_file_gives_the_answers_for_any_number_of_rows(run, tmp_path):
    facts = export(run, tmp_path / "network.pt2")
    module, stored = loaded(tmp_path / "network.pt2")
    assert stored == facts
    assert b"site-packages" not in (tmp_path / "network.pt2").read_bytes()
    for count in (1, 2, 7):
        rows = torch.rand(count, 2) * 40
        answers, predicted = module(rows)
        torch.testing.assert_close(answers, run.predict(rows))
        assert predicted.tolist() == answers.argmax(1).tolist()


def test_the_facts_explain_inputs_and_answers(run, tmp_path):
    facts = export(run, tmp_path / "network.PT2")
    assert facts["task"] == "classification"
    assert facts["predicts"] == "2 classes of 'level' (a, b)"
    assert json.loads(facts["features"]) == ["size", "kind"]
    assert json.loads(facts["input_shape"]) == ["batch", 2]
    assert facts["input_type"] == "float32"
    assert json.loads(facts["classes"]) == ["a", "b"]
    assert json.loads(facts["targets"]) == ["level"]
    preparation = preparation_from_json(json.loads(facts["preparation"]))
    assert preparation == run.preparation


def test_several_numbers_keep_their_names_and_units(tmp_path):
    path = tmp_path / "energy.csv"
    rows = [f"{x},{x % 7},{1e6 + x},{x / 9}" for x in range(40)]
    path.write_text("\n".join(["size,kind,heating,cooling", *rows, ""]))
    run = run_on(path, tmp_path, Input(2) >> Linear(2), target="heating,cooling")
    facts = export(run, tmp_path / "network.pt2")
    module, _ = loaded(tmp_path / "network.pt2")
    assert json.loads(facts["targets"]) == ["heating", "cooling"]
    assert "classes" not in facts
    rows = torch.rand(3, 2) * 40
    assert module(rows).shape == (3, 2)
    assert module(rows)[:, 0].mean() > 9e5
    torch.testing.assert_close(module(rows), run.predict(rows))


def test_a_single_score_gives_the_probabilities_of_both_classes(tmp_path):
    run = run_on(write_table(tmp_path), tmp_path, Input(2) >> Sigmoid(1))
    export(run, tmp_path / "network.pt2")
    rows = torch.rand(3, 2) * 40
    answers, predicted = loaded(tmp_path / "network.pt2")[0](rows)
    assert answers.shape == (3, 2)
    assert predicted.tolist() == answers.argmax(1).tolist()
    torch.testing.assert_close(answers, run.predict(rows))


def test_a_file_that_exists_is_kept(run, tmp_path):
    (tmp_path / "network.pt2").write_text("mine")
    with pytest.raises(FileExistsError, match=r"network\.pt2 already exists: name a new file"):
        export(run, tmp_path / "network.pt2")
    assert (tmp_path / "network.pt2").read_text() == "mine"


def test_another_suffix_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match=r"an export is a \.onnx or \.pt2 file, got .*\.pb"):
        export(run, tmp_path / "network.pb")


def test_a_missing_folder_is_refused(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to write network\.onnx"):
        export(run, tmp_path / "nowhere" / "network.onnx")


def test_a_missing_library_is_named_with_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    line = r"\.onnx files need onnx and onnxscript: pip install 'neuropil\[export\]'"
    with pytest.raises(ModuleNotFoundError, match=line):
        export(run, tmp_path / "network.onnx")


def test_a_classic_network_is_refused(tmp_path):
    splits = datasets.open(write_table(tmp_path))
    model = ClassicModel(SOFM(grid=(2,)), classes=2)
    model.fit(splits.train.inputs, splits.train.targets)
    run = Run.create(tmp_path / "run", model, splits, task_for(splits.target), {"data": ""})
    with pytest.raises(ValueError, match="holds a classic network, a scikit-learn estimator"):
        export(run, tmp_path / "network.pt2")


def test_an_error_of_the_exporter_is_one_line_and_leaves_no_file(run, tmp_path, monkeypatch):
    def fail(module, facts):
        raise RuntimeError("step 1 of 3") from KeyError("no rule\nfor this")

    formats = {".pt2": run_export.SUFFIXES[".pt2"]._replace(write=fail)}
    monkeypatch.setattr(run_export, "SUFFIXES", formats)
    before = set(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"cannot be exported: .*no rule") as caught:
        export(run, tmp_path / "network.pt2")
    assert "\n" not in str(caught.value)
    assert set(tmp_path.iterdir()) == before


def test_the_graph_and_the_traceback_in_an_error_are_left_out(run, tmp_path, monkeypatch):
    def fail(module, facts):
        raise ValueError(
            "no rule\n\nWhile executing %relu : [num_users=1]\nOriginal traceback:"
        )

    formats = {".pt2": run_export.SUFFIXES[".pt2"]._replace(write=fail)}
    monkeypatch.setattr(run_export, "SUFFIXES", formats)
    with pytest.raises(ValueError, match=r"cannot be exported: no rule\.$"):
        export(run, tmp_path / "network.pt2")


def test_weights_that_are_too_large_for_onnx_are_refused(run, tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")
    monkeypatch.setattr("neuropil.runs.exporting.exported_files.MOST_BYTES", 10)
    with pytest.raises(ValueError, match=r"2 GB of an \.onnx file: use \.pt2"):
        export(run, tmp_path / "network.onnx")


def write_pictures(folder):
    """Write pictures of two classes in many sizes."""
    random = np.random.default_rng(0)
    for label, shade in (("dark", 60), ("light", 200)):
        (folder / "shapes" / label).mkdir(parents=True)
        for number in range(8):
            height, width = random.integers(20, 60, 2)
            pixels = random.integers(shade - 50, shade + 50, (height, width), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "shapes" / label / f"{number}.png")
    return folder / "shapes"


@pytest.mark.extended
@pytest.mark.parametrize("size", ["native", "buckets", 32])
def test_pictures_of_any_size_give_the_answers_of_predict(tmp_path, size):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    data = write_pictures(tmp_path)
    splits = datasets.open(data, image_size=size)
    native = size == "native"
    network = task_for(splits.target).network(splits.input_shape, masked=native)
    network.reset_parameters(torch.Generator().manual_seed(0))
    network.inputs[0].set_normalization(128.0, 64.0)
    settings = {"data": str(data)}
    run = Run.create(tmp_path / "run", network, splits, task_for(splits.target), settings)
    path = tmp_path / "network.onnx"
    facts = export(run, path)
    stored = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert stored == facts
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {value.name: value.shape for value in session.get_inputs()}
    free = ["height", "width"]
    assert named["inputs"] == ["batch", 1, *([32, 32] if size == 32 else free)]
    assert named.get("mask") == (["batch", *free] if native else None)
    assert b"site-packages" not in path.read_bytes()
    source = run.read([data]).inputs
    for places in ([0], [1, 2, 3] if native else [2]):
        batch = Batch(source[places], None) if size == 32 else source.fetch(places)
        expected = run.task.decode(outputs_of(network, batch, run.task))
        feed = {"inputs": batch.inputs.numpy()}
        feed |= {"mask": batch.mask.numpy()} if native else {}
        (answers,) = session.run(["probabilities"], feed)
        torch.testing.assert_close(torch.from_numpy(answers), expected, rtol=1e-5, atol=1e-5)
