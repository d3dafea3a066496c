"""What a person sees."""

import io
import itertools
import re
import sys
import types

import pytest
import torch
from torch import nn

from neuropil.training import Progress, Status, Trainer
from neuropil.training import progress as shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


STATUS = Status(epoch=2, epochs=5, step=3, steps=40, loss=0.25, rate=12345.6, left=65.2)


def test_a_terminal_gets_one_line_that_is_redrawn():
    stream = Terminal()
    display = shown.TextProgress(stream)
    display.start(STATUS)
    display.update(STATUS)
    display.epoch(STATUS, {"epoch": 2, "loss": 0.2, "accuracy": 0.9, "seconds": 1.0})
    display.update(Status(epoch=3, epochs=5, step=1))
    display.stop(STATUS)
    lines = stream.getvalue().split("\r")
    assert lines[1] == "epoch 2/5 · step 3/40 · loss 0.25 · 12,346 examples/s · 1:05 left"
    assert lines[2].rstrip() == "epoch 3/5 · step 1 · loss 0.2 · accuracy 0.9"
    assert len(lines[2]) >= len(lines[1])
    assert lines[3].endswith("\n")


def test_elsewhere_lines_are_plain_and_few():
    stream = io.StringIO()
    display = shown.TextProgress(stream)
    display.start(STATUS)
    for epoch in range(1, 101):
        status = Status(epoch=epoch, epochs=100)
        display.update(status)
        display.epoch(status, {"loss": 1 / epoch})
    display.stop(status)
    assert stream.getvalue().splitlines() == [
        "epoch 1/100 · loss 1",
        "epoch 100/100 · loss 0.01",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (65.2, "1:05"), (7322, "2:02:02")]
)
def test_durations(seconds, text):
    assert shown.clock(seconds) == text


class Recorder(Progress):
    def __init__(self):
        self.calls = []

    def start(self, status):
        self.calls.append(("start", status))

    def update(self, status):
        self.calls.append(("update", status))

    def epoch(self, status, record):
        self.calls.append(("epoch", status))

    def stop(self, status):
        self.calls.append(("stop", status))


def test_the_trainer_tells_a_display_where_it_stands_ten_times_a_second(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks) * 0.01)
    recorder = Recorder()
    trainer = Trainer(nn.Linear(2, 1), loss="squared_error", progress=recorder, threads=None)
    x = torch.zeros(400, 2)
    trainer.fit((x, x[:, :1]), epochs=2, batch_size=4)
    names = [name for name, _ in recorder.calls]
    assert (names[0], names[-1], names.count("epoch")) == ("start", "stop", 2)
    seen = [status for name, status in recorder.calls if name == "update"]
    assert 10 < len(seen) < 50
    assert all(a.step < b.step for a, b in itertools.pairwise(seen) if a.epoch == b.epoch)
    late = seen[-1]
    assert (late.epoch, late.epochs, late.steps, late.loss is not None) == (2, 2, 100, True)
    assert late.rate > 0
    assert seen[0].left > late.left >= 0
    with pytest.raises(TypeError, match="True, False or a Progress, got 'yes'"):
        Trainer(nn.Linear(2, 1), progress="yes")


class Page:
    """A notebook's page: the outputs below a cell, which handles replace."""

    def __init__(self):
        self.outputs, self.shown = [], []

    def display(self, data, *, raw, display_id):
        assert raw
        assert display_id
        self.outputs.append(data)
        return types.SimpleNamespace(update=self.update)

    def update(self, data, *, raw):
        self.outputs[-1] = data
        self.shown.append(data)


@pytest.fixture
def page(monkeypatch):
    """Let this process look like the kernel of a notebook."""
    page = Page()
    shell = types.SimpleNamespace(kernel=object())
    jupyter = types.ModuleType("IPython")
    jupyter.get_ipython = lambda: shell
    jupyter.display = types.ModuleType("IPython.display")
    jupyter.display.display = page.display
    monkeypatch.setitem(sys.modules, "IPython", jupyter)
    monkeypatch.setitem(sys.modules, "IPython.display", jupyter.display)
    return page


def test_a_notebook_gets_a_bar_that_ends_as_one_line(page, capsys, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks) * 0.05)
    trainer = Trainer(nn.Linear(2, 1), loss="squared_error", metrics=["r2"], threads=None)
    x = torch.zeros(40, 2)
    trainer.fit((x, x[:, :1]), epochs=2, batch_size=4)
    widths = [
        float(re.search(r"width: ([\d.]+)%", one["text/html"])[1]) for one in page.shown[:-1]
    ]
    assert widths == sorted(widths)
    assert widths[-1] > 80
    assert all(" left" in one["text/html"] for one in page.shown[1:-1])
    (last,) = page.outputs
    assert re.fullmatch(r"epoch 2/2 · loss \S+ · r2 \S+ · \d+:\d\d", last["text/plain"])
    assert last["text/plain"] in last["text/html"]
    assert "width:" not in last["text/html"]
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_the_figures_of_the_last_epoch_as_text(page):
    bar = shown.NotebookProgress()
    bar.start(STATUS)
    bar.epoch(STATUS, {"epoch": 2, "<b>": 0.25})
    bar.update(STATUS)
    assert "epoch 2 · &lt;b&gt; 0.25" in page.outputs[0]["text/html"]
    assert page.outputs[0]["text/plain"].startswith("22% · epoch 2/5 · step 3/40")


def test_an_interactive_terminal_is_no_notebook(page):
    sys.modules["IPython"].get_ipython = types.SimpleNamespace
    assert not shown.in_notebook()
    sys.modules["IPython"].get_ipython = lambda: None
    assert not shown.in_notebook()
