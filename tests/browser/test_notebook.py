"""A notebook with all that we show in one, run by a kernel and read in a browser."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from tests.browser import notebook_cells

pytestmark = pytest.mark.extended

# What Jupyter paints a page with, light and dark.
PAPER = {"light": 255, "dark": 17}


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> tuple[Path, dict[str, list[dict[str, Any]]]]:
    """Run the notebook; return the folder of its pages, and the outputs of its cells."""
    if any(importlib.util.find_spec(name) is None for name in ("nbconvert", "ipykernel")):
        pytest.skip("nbconvert or ipykernel is not installed")
    folder = tmp_path_factory.mktemp("notebook")
    cells = notebook_cells.execute(folder)["cells"]
    return folder, {cell["id"]: cell["outputs"] for cell in cells}


def test_nothing_is_printed_to_standard_error(book):
    outputs = [one for cell in book[1].values() for one in cell]
    assert [one for one in outputs if one.get("name") == "stderr"] == []


def test_a_training_leaves_one_quiet_line(book):
    (output,) = book[1]["fit"]
    assert output["data"]["text/plain"][0].startswith("epoch 3/3 · loss ")
    assert "width:" not in "".join(output["data"]["text/html"])


@pytest.mark.parametrize(
    "name", ["network", "diagram", "cost", "data", "history", "trainer", "run", "map"]
)
def test_what_a_cell_gives_is_a_page(book, name):
    assert "text/html" in book[1][name][-1]["data"]


@pytest.mark.parametrize("name", ["plot", "confusion", "u_matrix"])
def test_what_a_plot_gives_is_a_picture(book, name):
    assert "image/png" in book[1][name][-1]["data"]


@pytest.fixture(params=["light", "dark"])
def opened(browser, book, request) -> Any:
    """Return the theme and the page, for a reader whose own system has the other theme."""
    other = {"light": "dark", "dark": "light"}[request.param]
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=other)
    page.goto((book[0] / f"{request.param}.html").as_uri(), wait_until="load")
    yield request.param, page
    page.close()


STYLES = """(selector) => [...document.querySelectorAll(selector)].map(e => {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    return {text: e.textContent, align: style.textAlign, color: style.color, fill: style.fill,
            ground: style.backgroundColor, left: box.left, font: parseFloat(style.fontSize)}
})"""


def brightness(colour: str) -> float:
    """Return the mean of red, green and blue of a computed colour."""
    numbers = colour[colour.index("(") + 1 : -1].split(",")
    return sum(float(number) for number in numbers[:3]) / 3


def test_names_are_left_numbers_right_and_inner_layers_indented(opened):
    def look(selector: str) -> list[dict[str, Any]]:
        return opened[1].evaluate(STYLES, selector)

    rows = look(".neuropil tbody td:first-child")
    assert {cell["align"] for cell in rows} == {"left"}
    assert {cell["align"] for cell in look(".neuropil td.number")} == {"right"}
    inner = [cell["text"] for cell in rows if cell["text"].startswith("\xa0" * 4)]
    assert any("convolution" in text for text in inner)
    assert {cell["ground"] for cell in rows} == {"rgba(0, 0, 0, 0)"}


def test_text_is_readable_whatever_the_system_of_the_reader_has(opened):
    theme, page = opened
    paper = PAPER[theme]
    texts = page.evaluate(STYLES, ".neuropil th, .neuropil td, .neuropil span, .neuropil p")
    assert len(texts) > 100
    assert min(abs(brightness(one["color"]) - paper) for one in texts) > 120
    boxes = page.evaluate(STYLES, ".neuropil svg rect")
    assert max(abs(brightness(one["fill"]) - paper) for one in boxes) < 80
    names = page.evaluate(STYLES, ".neuropil svg text")
    assert min(abs(brightness(one["fill"]) - paper) for one in names) > 90


def test_no_output_is_wider_than_the_page(opened):
    _, page = opened
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    widths = page.evaluate(
        "[...document.querySelectorAll('.neuropil')].map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert len(widths) > 5
    assert [pair for pair in widths if pair[0] > pair[1]] == []
