"""A parser that holds a page to the rules of HTML, and reports of small networks."""

import re
from html.parser import HTMLParser

import pytest

from neuropil.core import Network
from neuropil.report import write_report
from neuropil.runs.tasks import task_for
from neuropil.training import History

VOID = {"br", "hr", "img", "meta"}


class Page(HTMLParser):
    """A page taken apart: every element with its attributes, its sections, text and tables."""

    def __init__(self, source):
        super().__init__()
        self.source = source
        self.open, self.elements, self.ids = [], [], []
        self.sections, self.texts, self.tables = {}, [], []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes, *, empty=False):
        found = dict(attributes)
        assert len(found) == len(attributes), f"an attribute stands twice in {tag}"
        self.elements.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID and not empty:
            self.open.append(tag)
        if tag == "section":
            self.section = self.sections.setdefault(found["id"], [])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes, empty=True)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.texts.append(data)
        if "section" in self.open:
            self.section.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return plain("".join(self.texts))

    def text_of(self, section):
        return plain("".join(self.sections[section]))

    def table(self, *head):
        """Return the rows of the table whose heading begins so, as text."""
        found = [rows for rows in self.tables if rows[0][: len(head)] == list(head)]
        assert len(found) == 1, [rows[0] for rows in self.tables]
        return [[plain(cell) for cell in row] for row in found[0][1:]]


def plain(text):
    """Return text with ordinary spaces, none at the ends."""
    return re.sub(r"\s+", " ", text).strip()


def a_history(epochs=3, *, validation=True):
    records = []
    for k in range(epochs):
        record = {"epoch": k + 1, "steps": 9, "loss": 2.0 / (k + 1), "accuracy": 0.1 * k}
        if validation:
            record |= {"validation_loss": 2.5 / (k + 1), "validation_accuracy": 0.09 * k}
        records.append({**record, "lr": 0.01, "seconds": 0.5})
    return History(records)


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """Return a function that writes a report and takes it apart."""
    folder = tmp_path_factory.mktemp("report")

    def written(network, splits, history=None, **options):
        history = (
            a_history(validation=splits.validation is not None) if history is None else history
        )
        if isinstance(network, Network):
            options.setdefault("task", task_for(splits.target).adapt_to(network))
        path = write_report(folder / "report.html", network, splits, history, **options)
        return Page(path.read_text("utf-8"))

    return written
