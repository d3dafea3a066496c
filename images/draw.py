"""Draw the pictures of the README: ``python images/draw.py report``, ``diagram`` or ``map``.

The report needs Chromium and Playwright, which photograph the page of ``neuropil train``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

FOLDER = Path(__file__).parent


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


PICTURES = {"report": report, "diagram": diagram, "map": digit_map}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
