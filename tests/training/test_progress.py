"""What a person sees."""

import io
import itertools

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
