"""The command line called as a person calls it, but in this process."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from neuropil.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(name="neuropil")
def run_neuropil(capsys, monkeypatch, tmp_path):
    """Return a function that runs the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEUROPIL_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        with warnings.catch_warnings():
            # As in daily use: a warning is shown to the person, and does not end the program.
            warnings.simplefilter("default", UserWarning)
            code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(name="refused")
def refused_by_neuropil(neuropil):
    """Return a function that runs what must be refused, and gives the line that says why."""

    def call(*arguments: object) -> str:
        result = neuropil(*arguments)
        lines = [line for line in result.err.splitlines() if not line.startswith("note: ")]
        assert result.code == 2, result
        assert len(lines) == 1, result.err
        assert lines[0].startswith("error: "), lines
        return lines[0].removeprefix("error: ")

    return call


@pytest.fixture
def table(tmp_path) -> Path:
    """A table whose last column is easily told from the first."""
    rows = [f"{x / 10},{'ab'[x % 2]},{'low' if x < 40 else 'high'}" for x in range(80)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["size,kind,level", *rows, ""]))
    return path


@pytest.fixture
def numbers(tmp_path) -> Path:
    """A table for regression, in units far from 0 and 1."""
    rows = [f"{x},{x % 7},{1000 + 50 * x}.5" for x in range(80)]
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join(["a,b,price", *rows, ""]))
    return path


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Twelve pictures each of bars that lie and bars that stand."""
    random = np.random.default_rng(0)
    for name in ("lying", "standing"):
        folder = tmp_path / "bars" / name
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 40, (8, 8)).astype(np.uint8)
            pixels[number % 8] = 250
            picture = pixels if name == "lying" else pixels.T
            Image.fromarray(picture).save(folder / f"{number:02}.png")
    return tmp_path / "bars"
