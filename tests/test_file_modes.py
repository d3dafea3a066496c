"""Every file that is written has the mode that the user's umask gives."""

import os
import re
import stat
from pathlib import Path

import pytest

from neuropil.cli import main

SOURCE = Path(__file__).parent.parent / "src" / "neuropil"
WRITES = re.compile(
    r"\.write_(text|bytes)\(|os\.(replace|rename|link)\(|tempfile\.(?!gettempdir)|mkstemp|"
    r"chmod|umask|"
    r"""\bopen\((?!os\.devnull)[^)]*["'][wxa]b?\+?["']|\.savefig\((?!file)"""
)
WRITTEN = (
    *("run.json", "network.json", "weights.safetensors", "history.csv", "report.html"),
    *("checkpoints/", "predictions.csv"),
)


@pytest.fixture
def umask():
    """Yield an umask that gives neither a fixed 0644 nor the 0600 of temporary files."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_whatever_the_commands_write(umask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{n * n % 7},{'ab'[n % 2]}" for n in range(24)]
    Path("data.csv").write_text("\n".join(["x,z,y", *rows]))
    assert main(["train", "--data", "data.csv", "--epochs", "1", "--out", "run"]) == 0
    assert main(["predict", "run", "data.csv", "--out", "predictions.csv"]) == 0
    files = [path for path in Path().rglob("*") if path.is_file()]
    named = [str(path) for path in files]
    assert [name for name in WRITTEN if not any(name in path for path in named)] == []
    modes = {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in files}
    assert modes == dict.fromkeys(modes, oct(0o666 & ~umask))
    folders = {str(path): path.stat().st_mode for path in Path().rglob("*") if path.is_dir()}
    assert {stat.S_IMODE(mode) for mode in folders.values()} == {0o777 & ~umask}


def test_files_are_written_by_the_atomic_writer_alone():
    others = {}
    for path in SOURCE.rglob("*.py"):
        code = re.sub(r"(?m)^ *(>>>|\.\.\.) .*$", "", path.read_text())
        if path.name != "atomic.py" and (found := WRITES.search(code)):
            others[str(path.relative_to(SOURCE))] = found[0]
    assert others == {}
