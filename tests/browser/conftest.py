"""A headless Chromium, and reports to open in it."""

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from neuropil.cli import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = '<img src="http://example.org/a.png" onerror="alert(1)">'


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return the system's Chromium, or skip where it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def write_table(path: Path, *, classes: bool) -> Path:
    """Write a table with names that a browser would obey or that are too long for a line."""
    x = np.random.default_rng(0).normal(size=(120, 3)).round(3)
    answers = (x[:, 0] * x[:, 1] + x[:, 2]).round(4)
    targets = np.where(answers > 0, HOSTILE, "z" * 90) if classes else answers
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([HOSTILE, "w" * 90, "c", "target"])
        writer.writerows([*row, target] for row, target in zip(x, targets, strict=True))
    return path


def write_boxes(folder: Path) -> Path:
    """Write pictures with bright boxes on a dark ground, in the form of YOLO."""
    random = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text(f"{HOSTILE}\n{'z' * 90}\n")
    for number in range(20):
        pixels = np.full((48, 64, 3), 30, np.uint8)
        lines = []
        for kind in (0, 1):
            x, y = random.integers(0, 20) + 32 * kind, random.integers(0, 20)
            pixels[y : y + 16, x : x + 12, kind] = 220
            lines.append(f"{kind} {(x + 6) / 64} {(y + 8) / 48} {12 / 64} {16 / 48}")
        Image.fromarray(pixels).save(folder / "images" / f"{number:02}.png")
        (folder / "labels" / f"{number:02}.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that trains on data of a kind, once, and gives the report's path."""
    folder = tmp_path_factory.mktemp("reports")
    options = {
        "digits": [],
        "classes": ["--data", str(write_table(folder / "classes.csv", classes=True))],
        "numbers": ["--data", str(write_table(folder / "numbers.csv", classes=False))],
    }
    options["boxes"] = ["--data", str(write_boxes(folder / "boxes-data"))]
    options["classic"] = [*options["classes"], "--network", "pnn"]

    def report(kind: str) -> Path:
        out = folder / kind
        if not out.exists():
            epochs = [] if kind == "classic" else ["--epochs", "2"]
            command = ["train", *options[kind], *epochs, "--threads", "1", "--quiet"]
            assert main([*command, "--out", str(out)]) == 0
        return out / "report.html"

    return report
