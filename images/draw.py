"""Draw the pictures of the README: ``python images/draw.py report``, or another name below.

The report needs Chromium and Playwright, which photograph the page of ``neuropil train``. The
boxes need the blood cells of BCCD in ``NEUROPIL_DATA``, by default ``../shared/data``. A
network is trained on them for some minutes, unless ``RUN`` in the environment names a run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

FOLDER = Path(__file__).resolve().parent
# The place of the picture in the list of test pictures.
CELLS = 0


def report() -> None:
    """Train on the handwritten digits, and photograph the top of the report."""
    from playwright.sync_api import sync_playwright

    from neuropil.cli import main

    with TemporaryDirectory() as folder, sync_playwright() as driver:
        run = Path(folder, "digits")
        main(["train", "--out", str(run), "--quiet"])
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page(viewport={"width": 960, "height": 1640})
        page.goto((run / "report.html").as_uri())
        page.screenshot(path=FOLDER / "report.png")
        browser.close()


def diagram() -> None:
    """Draw a small network with a branch."""
    from neuropil import parallel
    from neuropil.analysis import diagram as draw
    from neuropil.layers import (
        BatchNorm,
        Convolution,
        Elementwise,
        GlobalPooling,
        Identity,
        Input,
        Relu,
        Softmax,
    )

    body = Convolution(8, 3, padding="same") >> BatchNorm() >> Relu()
    residual = parallel(body, Identity()) >> Elementwise("add")
    network = Input(8, None, None) >> residual >> GlobalPooling("avg") >> Softmax(2)
    draw(network).save(FOLDER / "diagram.svg")


def digit_map() -> None:
    """Fit a map to the handwritten digits, and draw where each digit falls."""
    from sklearn.datasets import load_digits

    from neuropil.classic import SOFM
    from neuropil.plots import hit_map

    X, y = load_digits(return_X_y=True)
    grid = SOFM((12, 15), topology="hexagonal", random_state=0).fit(X)
    hit_map(grid, X, labels=y).savefig(FOLDER / "map.png", dpi=90)


def boxes() -> None:
    """Draw the boxes that a detector finds in a test picture of blood cells."""
    from PIL import Image

    from neuropil.cli import main

    data = Path(os.environ.get("NEUROPIL_DATA", FOLDER.parent.parent / "shared" / "data"))
    cells = data / "bccd"
    first = (cells / "ImageSets" / "Main" / "test.txt").read_text().split()[CELLS]
    with TemporaryDirectory() as folder:
        run = os.environ.get("RUN") or str(Path(folder, "cells"))
        if not Path(run).is_dir():
            main(["train", "--data", str(cells), "--out", run, "--quiet"])
        picture = str(cells / "JPEGImages" / f"{first}.jpg")
        main(["predict", run, picture, "--out", str(Path(folder, "boxes"))])
        with Image.open(Path(folder, "boxes", f"{first}.jpg")) as drawn:
            drawn.save(FOLDER / "boxes.jpg", quality=85)


PICTURES = {"report": report, "diagram": diagram, "map": digit_map, "boxes": boxes}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
