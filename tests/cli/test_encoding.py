"""A terminal or pipe of any encoding is written to."""

import os
import subprocess
import sys

import pytest

COMMANDS = (
    ["summary", "Input(1, 8, 8) >> Convolution(4, 3) >> Relu()"],
    ["sheet", "Adam"],
    ["--help"],
)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
def test_every_command_writes_what_the_encoding_has(encoding):
    code = (
        "import sys; from neuropil.cli import main\n"
        f"for arguments in {COMMANDS!r}:\n"
        "    code = main(arguments)\n"
        "    assert code == 0, code\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr.decode(encoding)
    text = run.stdout.decode(encoding)
    assert "convolution1" in text
    assert "beta" in text or "β" in text
    assert "Usage: neuropil" in text


def test_signs_that_are_lacking_are_written_in_plain_ones():
    code = (
        "from neuropil.cli.encoding import allow_any_encoding\n"
        "allow_any_encoding()\n"
        "print('3×3 → β₁² ≥ ½ é \\ud800 \\u202e 日')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True
    )
    assert run.stdout.decode() == "3x3 -> beta1^2 >= 12 e \\ud800 \\u202e ?\n"
