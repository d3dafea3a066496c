import pytest
import torch

from neuropil.runs.run_folder import Run


@pytest.mark.parametrize(
    ("name", "dtype", "answers"),
    [
        ("bars-run", torch.uint8, "probabilities: 2 classes (lying, standing)"),
        ("numbers-run", torch.float32, "numbers: regression of 'price'"),
    ],
)
def test_the_file_and_its_meaning_are_printed(neuropil, trained, name, dtype, answers):
    result = neuropil("export", trained / name, "--out", "network.pt2")
    assert (result.code, result.err) == (0, "")
    first, inputs, last = result.out.splitlines()
    assert first == "network.pt2"
    assert inputs.startswith("Inputs   ")
    assert last == f"Answers  {answers}"
    run = Run.open(trained / name)
    rows = torch.ones(2, *run.preparation.input_shape, dtype=dtype)
    module = torch.export.load("network.pt2").module()
    given = module(rows)
    answers = given[0] if isinstance(given, tuple) else given
    torch.testing.assert_close(answers, run.predict(rows))


def test_what_cannot_be_written_is_one_line(refused, trained, tmp_path):
    run = trained / "table-run"
    assert "is a .onnx or .pt2 file, got 'network.h5'" in refused(
        "export", run, "--out", "network.h5"
    )
    (tmp_path / "mine.onnx").write_text("mine")
    assert "mine.onnx already exists" in refused("export", run, "--out", "mine.onnx")
    assert (tmp_path / "mine.onnx").read_text() == "mine"
    assert "is it a run folder" in refused("export", tmp_path)


def test_a_missing_library_is_one_line(refused, trained, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = refused("export", trained / "table-run", "--out", "network.onnx")
    assert line == ".onnx files need onnx and onnxscript: pip install 'neuropil[export]'."


@pytest.mark.extended
def test_the_default_is_an_onnx_file_in_the_run_folder(neuropil, refused, copied):
    pytest.importorskip("onnxscript")
    run = copied("table-run")
    assert neuropil("export", run).out.splitlines()[0] == str(run / "network.onnx")
    assert "network.onnx already exists: name a new file" in refused("export", run)
    assert Run.open(run).status == "finished"
