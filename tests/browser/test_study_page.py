"""The page of a study in a real browser: nothing overlaps, on a telephone and on a desktop."""

import pytest
from tests.report.study.studies import STUDIES

from neuropil.report.study import write_study

pytestmark = pytest.mark.extended

WIDTHS = (390, 700, 1280)


@pytest.fixture(params=[(name, width) for name in STUDIES for width in WIDTHS], ids=str)
def opened(browser, request, tmp_path):
    """Return a page that shows a study at a width, with what it asked and complained of."""
    name, width = request.param
    path = write_study(tmp_path / "study.html", STUDIES[name]())
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked, complaints = [], []
    page.on("request", lambda asking: asked.append(asking.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri(), wait_until="load")
    yield page, width, asked == [path.as_uri()] and not complaints
    page.close()


def test_nothing_is_loaded_and_nothing_reaches_beyond_the_right_edge(opened):
    page, width, quiet = opened
    assert quiet
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_cell_of_the_forest_plot_overflows_or_overlaps(opened):
    page, *_ = opened
    overlaps = page.locator(".forest li").evaluate_all(
        """rows => rows.flatMap(row => {
            const boxes = [...row.children].map(cell => cell.getBoundingClientRect());
            const texts = [...row.children].filter(x => !x.classList.contains("plot"));
            const wide = texts.filter(x => x.scrollWidth > x.clientWidth + 1)
                .map(x => x.innerText);
            const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
                a.left < b.right - 1 && b.left < a.right - 1 &&
                a.top < b.bottom - 1 && b.top < a.bottom - 1));
            return [...wide, ...pairs.map(String)];
        })"""
    )
    assert overlaps == []


def test_labels_of_the_axis_do_not_touch(opened):
    page, *_ = opened
    gaps = page.locator(".axis svg").evaluate_all(
        """axes => axes.flatMap(axis => {
            const labels = [...axis.querySelectorAll("text")];
            const boxes = labels.map(label => label.getBoundingClientRect());
            return boxes.slice(1).map((box, i) => box.left - boxes[i].right);
        })"""
    )
    assert gaps
    assert min(gaps) > 4


def test_marks_lie_at_their_share_of_the_width(opened):
    page, *_ = opened
    distances = page.locator(".plot svg.gain").evaluate_all(
        """marks => marks.map(mark => {
            const plot = mark.parentElement.getBoundingClientRect();
            const shape = mark.firstElementChild.getBoundingClientRect();
            const place = plot.left + plot.width * parseFloat(mark.getAttribute("x")) / 100;
            return Math.abs((shape.left + shape.right) / 2 - place);
        })"""
    )
    assert distances
    assert max(distances) < 1


def test_no_table_scrolls_sideways(opened):
    page, width, _ = opened
    wide = page.locator(".scroll:has(> table)").evaluate_all(
        "all => all.filter(x => x.scrollWidth > x.clientWidth + 1).length"
    )
    assert wide == 0 or 480 < width < 1056
