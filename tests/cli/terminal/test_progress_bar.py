import io
import re

import pytest
from rich.console import Console

from neuropil.cli.terminal import progress_bar
from neuropil.training.progress import Status, TextProgress


@pytest.fixture
def drawn(monkeypatch):
    """Return the bar and what it draws in a terminal of 100 columns."""
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr("neuropil.cli.console.console", lambda **_: terminal)
    return progress_bar.Bar(), stream


def frames(stream: io.StringIO) -> list[str]:
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if "epoch" in line]


def test_the_bar_shows_where_it_stands_and_ends_full(drawn):
    bar, stream = drawn
    bar.start(Status(1, 2))
    bar.update(Status(1, 2, step=5, steps=10, loss=0.5, rate=1234.0, left=65.0))
    bar.epoch(Status(2, 2, steps=10), {"epoch": 1, "loss": 0.4, "validation_accuracy": 0.75})
    bar.update(Status(2, 2, step=5, steps=10, loss=0.3, rate=1000.0, left=9.0))
    bar.epoch(Status(2, 2, steps=10), {"epoch": 2, "loss": 0.2, "validation_accuracy": 0.875})
    bar.stop(Status(2, 2, step=0, steps=10))
    shown = frames(stream)
    assert any("loss 0.5000 · 1,234 examples/s · 1:05 left" in frame for frame in shown)
    assert any("loss 0.3000 · validation 0.7500" in frame for frame in shown)
    assert shown[-1].startswith("epoch 2/2")
    assert shown[-1].endswith("validation accuracy 0.8750")
    assert bar.bar.finished


def test_a_training_without_validation_and_known_length_is_shown_too(drawn):
    bar, stream = drawn
    bar.start(Status(1, 1))
    bar.update(Status(1, 1, step=3, loss=0.5))
    bar.epoch(Status(1, 1), {"epoch": 1, "loss": 0.25})
    bar.stop(Status(1, 1))
    assert frames(stream)[-1].endswith("loss 0.2500")


def test_there_is_a_bar_in_terminals_only(monkeypatch, capsys):
    assert isinstance(progress_bar.progress_for(quiet=False), TextProgress)
    quiet = progress_bar.progress_for(quiet=True)
    quiet.epoch(Status(1, 1), {"epoch": 1, "loss": 1.0})
    assert capsys.readouterr() == ("", "")
