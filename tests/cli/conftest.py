"""The command line called as a person calls it, but in this process."""

import shutil
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from neuropil.cli import main

# Trainings of a second: what they reach is no matter here.
QUICK = ("--epochs", "2", "--threads", "1", "--quiet")


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


@pytest.fixture(autouse=True)
def quick_report(request, monkeypatch):
    """Write no real report, which takes seconds, except in the tests that may be slow."""
    if "slow" not in request.keywords:
        monkeypatch.setattr("neuropil.report.write_report", empty_report)


def empty_report(path: Path, *_: object, **__: object) -> None:
    """Write a report that says nothing."""
    path.write_text("<html></html>")


def write_table(folder: Path) -> Path:
    """A table whose last column is easily told from the first."""
    rows = [f"{x / 10},{'ab'[x % 2]},{'low' if x < 40 else 'high'}" for x in range(80)]
    path = folder / "table.csv"
    path.write_text("\n".join(["size,kind,level", *rows, ""]))
    return path


def write_numbers(folder: Path) -> Path:
    """A table for regression, in units far from 0 and 1."""
    rows = [f"{x},{x % 7},{1000 + 50 * x}.5" for x in range(80)]
    path = folder / "numbers.csv"
    path.write_text("\n".join(["a,b,price", *rows, ""]))
    return path


def write_pictures(folder: Path) -> Path:
    """Twelve pictures each of bars that lie and bars that stand."""
    random = np.random.default_rng(0)
    for name in ("lying", "standing"):
        place = folder / "bars" / name
        place.mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 40, (8, 8)).astype(np.uint8)
            pixels[number % 8] = 250
            picture = pixels if name == "lying" else pixels.T
            Image.fromarray(picture).save(place / f"{number:02}.png")
    return folder / "bars"


@pytest.fixture
def table(tmp_path) -> Path:
    return write_table(tmp_path)


@pytest.fixture
def numbers(tmp_path) -> Path:
    return write_numbers(tmp_path)


@pytest.fixture
def pictures(tmp_path) -> Path:
    return write_pictures(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder with data and the runs that were trained on them, for tests that only read."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuropil.report.write_report", empty_report)
        patch.chdir(folder)
        for write in (write_table, write_numbers, write_pictures):
            data = write(folder)
            network = ["--network", "Flatten() >> Softmax(2)"] * (write is write_pictures)
            out = folder / f"{data.stem}-run"
            assert (
                main(["train", "--data", str(data), "--out", str(out), *network, *QUICK]) == 0
            )
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    """Return a function that copies a run, for tests that damage it."""

    def copy(name: str, **changes: str) -> Path:
        run = tmp_path / name
        shutil.copytree(trained / name, run)
        facts = run / "run.json"
        for old, new in changes.items():
            text = facts.read_text()
            assert f'"{old}"' in text
            facts.write_text(text.replace(f'"{old}"', f'"{new}"', 1))
        return run

    return copy
