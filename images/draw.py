"""Draw the pictures of the README: ``python images/draw.py report``, or another name below.

The report needs Chromium and Playwright, which photograph the page of ``neuropil train``. The
boxes need the blood cells of BCCD in ``NEUROPIL_DATA``, by default ``../shared/data``, and the
masks need the nuclei there. A network is trained for each of boxes, masks and scenes for some
minutes, unless ``RUN`` in the environment names a run with its data.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuropil import Run

FOLDER = Path(__file__).resolve().parent
DATA = Path(os.environ.get("NEUROPIL_DATA", FOLDER.parent.parent / "shared" / "data"))
# The places of the pictures among the test pictures.
CELLS, NUCLEI, SCENES = 0, (44, 0, 54, 15), (2, 5, 13, 15)
# The side of one picture in a row of them, and the gap between two.
SIDE, GAP = 384, 16


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


def study() -> None:
    """Photograph the gains of a study of real data, from its page."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    pages = FOLDER.parent / "docs" / "studies"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium")
        # Taller than the page: its head would otherwise stay in view.
        page = browser.new_page(viewport={"width": 960, "height": 6000})
        page.goto((pages / "fashion_mnist.html").as_uri())
        found: Any = page.locator("#gains").bounding_box()
        clip: Any = {"x": 0, "y": found["y"] + 24, "width": 960, "height": found["height"] - 48}
        picture = page.screenshot(clip=clip)
        browser.close()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(64).save(FOLDER / "study.png", optimize=True)


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

    cells = DATA / "bccd"
    first = (cells / "ImageSets" / "Main" / "test.txt").read_text().split()[CELLS]
    with trained(lambda _: cells) as run, TemporaryDirectory() as folder:
        picture = str(cells / "JPEGImages" / f"{first}.jpg")
        main(["predict", str(run.path), picture, "--out", str(Path(folder, "boxes"))])
        with Image.open(Path(folder, "boxes", f"{first}.jpg")) as drawn:
            drawn.save(FOLDER / "boxes.jpg", quality=85)


def masks() -> None:
    """Draw the masks that a U-Net finds in test pictures of cell nuclei."""
    from neuropil.report.sections.segmentation.mask_pictures import colored

    def draw(pixels: Any, answer: Any, run: Run) -> Any:
        target: Any = run.task.target
        factor = SIDE // pixels.shape[-1]
        large = pixels.movedim(0, -1).numpy().repeat(factor, 0).repeat(factor, 1)
        mask = answer.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
        return colored(large, mask, target.judged, len(target.classes))

    with trained(write_nuclei) as run:
        in_a_row(run, NUCLEI, draw).save(FOLDER / "masks.png", optimize=True)


def scenes() -> None:
    """Draw the digits that a detector with proposed regions finds in test scenes."""
    from neuropil.plots import boxes as draw_boxes

    def draw(pixels: Any, answer: Any, run: Run) -> Any:
        classes: Any = run.task.target.classes
        return draw_boxes(pixels[0].numpy(), answer.numpy(), classes)

    with trained(write_scenes, "--network", "faster_rcnn") as run:
        in_a_row(run, SCENES, draw).save(FOLDER / "scenes.png", optimize=True)


@contextmanager
def trained(data: Callable[[Path], Path], *options: str) -> Iterator[Run]:
    """Yield the run that ``RUN`` names, or a new one.

    Args:
        data: Returns the data to train on, after writing them into a folder if need be.
        *options: Options of the training.
    """
    from neuropil import Run
    from neuropil.cli import main

    with TemporaryDirectory() as folder:
        path = os.environ.get("RUN") or str(Path(folder, "run"))
        if not Path(path).is_dir():
            given = ["--data", str(data(Path(folder, "data"))), *options]
            main(["train", *given, "--out", path, "--quiet"])
        yield Run.open(path)


def in_a_row(run: Run, places: tuple[int, ...], draw: Callable[[Any, Any, Run], Any]) -> Any:
    """Return test pictures with their answers, side by side.

    Args:
        run: The run, whose data are read again.
        places: The places of the pictures among the test pictures.
        draw: Draws the answer of a picture.
    """
    from PIL import Image

    from neuropil.cli.run_data import open_again

    test: Any = open_again(run).test
    inputs = test.fetch(list(places)).inputs
    row = Image.new("RGB", (len(places) * (SIDE + GAP) - GAP, SIDE), "white")
    for place, (pixels, answer) in enumerate(zip(inputs, run.predict(inputs), strict=True)):
        drawn: Any = draw(pixels, answer, run)
        picture = drawn if isinstance(drawn, Image.Image) else Image.fromarray(drawn)
        row.paste(picture.resize((SIDE, SIDE)), (place * (SIDE + GAP), 0))
    return row


def write_nuclei(folder: Path) -> Path:
    """Write the pictures and masks of cell nuclei of the Data Science Bowl 2018."""
    import numpy as np
    from PIL import Image

    arrays = np.load(DATA / "nuclei_dsb2018_96" / "nuclei_dsb2018_96.npz")
    for kind, values in (("images", arrays["images"]), ("masks", 255 * arrays["masks"])):
        (folder / kind).mkdir(parents=True)
        for number, each in enumerate(values):
            Image.fromarray(each).save(folder / kind / f"{number:03}.png")
    return folder


def write_scenes(folder: Path) -> Path:
    """Write scenes of handwritten digits with their boxes, as COCO has them."""
    from PIL import Image

    from neuropil import datasets

    made = datasets.make_digit_scenes()
    names: Any = made.target.classes
    kinds = [{"id": number, "name": name} for number, name in enumerate(names)]
    for part in ("train", "validation", "test"):
        data: Any = getattr(made, part)
        (folder / part).mkdir(parents=True)
        images, found = [], []
        for number, (pixels, rows) in enumerate(zip(data.inputs, data.targets, strict=True)):
            name = f"{part}/{number:03}.png"
            Image.fromarray(pixels[0].numpy()).save(folder / name)
            images.append({"id": number, "file_name": name})
            found += [
                {"image_id": number, "category_id": digit, "bbox": [x, y, right - x, down - y]}
                for x, y, right, down, digit in rows.tolist()
                if digit >= 0
            ]
        content = {"images": images, "annotations": found, "categories": kinds}
        (folder / f"{part}.json").write_text(json.dumps(content))
    return folder


PICTURES = {
    "report": report, "diagram": diagram, "map": digit_map, "boxes": boxes, "masks": masks,
    "scenes": scenes, "study": study,
}  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
