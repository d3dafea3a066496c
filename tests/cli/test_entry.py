import errno
import json
import subprocess
import sys

import pytest

import neuropil as package
from neuropil.datasets.points.point_schemes import SCHEMES

COMMANDS = (
    "train", "resume", "report", "evaluate", "predict", "compare", "export",
    "summary", "calculate", "sheet",
)  # fmt: skip


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_every_command_and_ends_well(neuropil):
    result = neuropil("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert command in result.out


def test_help_loads_neither_torch_nor_numpy():
    script = (
        "import sys, neuropil.cli; code = neuropil.cli.main(['--help']);"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules or code)"
    )
    assert python("-c", script).returncode == 0


def test_the_digits_are_trained_on_without_loading_other_libraries_for_data():
    script = (
        "import sys, neuropil.report, neuropil.cli.training_run\n"
        "from neuropil.datasets import load_handwritten_digits\n"
        "print(len(load_handwritten_digits().train)); neuropil.report.write_report\n"
        "sys.exit(len({'sklearn', 'pandas', 'scipy', 'pyarrow'} & sys.modules.keys()))"
    )
    result = python("-c", script)
    assert (result.returncode, result.stdout) == (0, "1258\n")


def test_a_wrong_file_is_refused_before_torch_is_loaded(tmp_path):
    (tmp_path / "notes.pdf").write_text("no data")
    data = {"kind": "table", "preparation": {}}
    facts = {"format": 1, "status": "finished", "data": data}
    facts |= {name: {} for name in ("options", "settings", "versions", "figures", "times")}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    commands = [
        ("train", "--data", "notes.pdf"),
        ("train", "--data", "missing.csv"),
        ("train", "--config", "notes.pdf"),
        ("predict", "run", "notes.pdf"),
        ("evaluate", "run", "--data", "notes.pdf"),
        *((command, "notes.pdf") for command in ("evaluate", "export", "report", "resume")),
        ("predict", "notes.pdf", "notes.pdf"),
    ]
    script = (
        f"import os, sys; os.chdir({str(tmp_path)!r}); from neuropil.cli import main\n"
        f"codes = [main(list(command)) for command in {commands}]\n"
        "print(codes, 'torch' in sys.modules)"
    )
    result = python("-c", script)
    assert result.stdout == f"{[2] * len(commands)} False\n"
    assert len(result.stderr.splitlines()) == len(commands)
    assert "notes.pdf is a file: name a run folder" in result.stderr


def test_the_module_runs_as_the_command_does():
    result = python("-m", "neuropil", "--version")
    assert (result.returncode, result.stdout) == (0, f"neuropil {package.__version__}\n")


def test_every_command_has_help_that_says_what_it_does(neuropil):
    for command in COMMANDS:
        result = neuropil(command, "--help")
        assert result.code == 0
        assert "Usage: neuropil " + command in result.out
        assert "Raises" not in result.out


def test_help_on_the_target_tells_how_points_are_named(neuropil):
    words = neuropil("train", "--help").out.replace("│", " ").split()
    assert set(SCHEMES) <= set(words)
    assert "the names of the points, such as left_eye,right_eye, or" in " ".join(words)


def test_an_unknown_command_and_an_unknown_option_are_one_line_each(refused):
    assert "No such command 'tran'. Did you mean 'train'?" in refused("tran")
    assert "No such option: --epoch" in refused("train", "--epoch", 3)
    assert "neuropil train --help" in refused("train", "--epochs", "many")


def failing(error: Exception):
    def command(*_: object, **__: object) -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("rows\n  differ"), "rows differ"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x.bin"),
            "No space left on device: x",
        ),
        (OSError("neither code nor file"), "neither code nor file"),
        (MemoryError(), "memory is not enough"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "memory is not enough"),
        (ArithmeticError("loss is nan"), "loss is nan"),
    ],
)
def test_what_input_or_machine_cause_is_one_line_and_code_2(refused, monkeypatch, error, line):
    monkeypatch.setattr("neuropil.cli.catalogue.items", failing(error))
    assert line in refused("sheet")


def test_a_mistake_of_ours_shows_where_it_happened(neuropil, monkeypatch):
    monkeypatch.setattr("neuropil.cli.catalogue.items", failing(KeyError("bug")))
    with pytest.raises(KeyError, match="bug"):
        neuropil("sheet")


@pytest.mark.parametrize("way", ["in front", "behind", "variable"])
def test_the_traceback_of_bad_input_is_shown_on_request(neuropil, monkeypatch, way):
    monkeypatch.setattr("neuropil.cli.catalogue.items", failing(ValueError("no such thing")))
    if way == "variable":
        monkeypatch.setenv("NEUROPIL_DEBUG", "1")
    with pytest.raises(ValueError, match="no such thing"):
        neuropil(*["--debug"] * (way == "in front"), "sheet", *["--debug"] * (way == "behind"))


def test_an_interruption_has_the_code_that_shells_expect(neuropil, monkeypatch):
    monkeypatch.setattr("neuropil.cli.catalogue.items", failing(KeyboardInterrupt()))
    assert neuropil("sheet").code == 130


def test_a_reader_that_has_enough_is_no_error():
    network = "Input(4) >> Relu(4)"
    with subprocess.Popen(
        [sys.executable, "-m", "neuropil", "summary", network],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
