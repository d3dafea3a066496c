"""A terminal or pipe of any encoding is written to."""

import io
import os
import subprocess
import sys

import pytest

from neuropil.cli import main

COMMANDS = (
    ["summary", "Input(1, 8, 8) >> Convolution(4, 3) >> Relu()"],
    ["sheet", "Adam"],
    ["--help"],
)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
def test_every_command_writes_what_the_encoding_has(encoding, monkeypatch):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    for arguments in COMMANDS:
        assert main(arguments) == 0
    stream.flush()
    text = written.getvalue().decode(encoding)
    assert "convolution1" in text
    assert "beta" in text or "β" in text
    assert "Usage: neuropil" in text


def test_signs_that_are_lacking_are_written_in_plain_ones():
    code = (
        "from neuropil.cli import main\n"
        "assert main(['--help']) == 0\n"
        "print('3×3 → β₁² ≥ ½ é \\ud800 \\u202e 日')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True
    )
    *usage, line = run.stdout.decode("ascii").splitlines()
    assert "Usage: neuropil" in "".join(usage)
    assert line == "3x3 -> beta1^2 >= 12 e \\ud800 \\u202e ?"
