"""A report in a real browser: whole without a network, without errors, on a telephone too."""

from html.parser import HTMLParser

import pytest

pytestmark = pytest.mark.extended

KINDS = ("digits", "classes", "numbers", "classic", "boxes")
WIDTHS = (400, 1280)


class Sources(HTMLParser):
    """What the tags of a page name to be loaded or to be gone to."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in {"src", "href", "data"}]


@pytest.mark.parametrize("kind", KINDS)
def test_no_tag_names_another_place(reports, kind):
    found = Sources(reports(kind).read_text("utf-8")).found
    assert found
    assert [source for source in found if not source.startswith(("#", "data:"))] == []


@pytest.fixture(params=KINDS)
def opened(browser, reports, request):
    """Return a page that shows a report, with what it asked for and what it complained of."""
    path = reports(request.param)
    page = browser.new_page()
    asked, complaints = [], []
    page.on("request", lambda asking: asked.append(asking.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri(), wait_until="load")
    yield page, asked, complaints, path
    page.close()


def test_nothing_but_the_file_is_loaded(opened):
    _, asked, _, path = opened
    assert asked[0] == path.as_uri()
    assert [url for url in asked[1:] if not url.startswith("data:")] == []


def test_the_browser_has_nothing_to_complain_of(opened):
    page, _, complaints, _ = opened
    assert complaints == []
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_reaches_beyond_the_right_edge(opened, width):
    page, *_ = opened
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_table_scrolls_sideways_on_a_telephone(opened):
    page, *_ = opened
    page.set_viewport_size({"width": 400, "height": 800})
    wide = page.locator(".scroll:has(> table)").evaluate_all(
        "all => all.filter(x => x.scrollWidth > x.clientWidth + 1).map(x => x.innerText)"
    )
    assert wide == []


def test_pictures_are_drawn(opened):
    page, *_ = opened
    sizes = page.locator("img, svg").evaluate_all(
        "all => all.map(x => x.tagName === 'IMG' ? x.naturalWidth : x.clientWidth)"
    )
    assert sizes
    assert all(sizes)
