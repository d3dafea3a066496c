"""The number of threads is measured without a trace."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from neuropil.training import Trainer
from neuropil.training.threads import choose_threads, faster, threads_kept


@pytest.fixture(autouse=True)
def several_threads():
    with threads_kept():
        torch.set_num_threads(2)
        yield


def test_measuring_changes_neither_weights_nor_random_states():
    network = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)
    )
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    targets = torch.zeros(16).long()
    assert choose_threads(network, F.cross_entropy, (torch.randn(16, 4),), targets) in {1, 2}
    torch.set_rng_state(state)
    torch.randn(16, 4)
    expected = torch.rand(1)
    torch.set_rng_state(state)
    inputs = (torch.randn(16, 4),)
    choose_threads(network, F.cross_entropy, inputs, targets)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("slow", "chosen"), [(1, 2), (2, 1), (None, 1)])
def test_the_faster_number_wins_and_one_is_enough_when_they_are_equal(
    monkeypatch, slow, chosen
):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def step():
        now[0] += 2.0 if torch.get_num_threads() == slow else 1.0

    assert faster(step, 2, budget=20.0) == chosen
    assert torch.get_num_threads() == 2


def test_fit_gives_the_threads_back():
    during = []

    class Watched(nn.Linear):
        def forward(self, x):
            during.append(torch.get_num_threads())
            return super().forward(x)

    x = torch.zeros(8, 1)
    for wanted in (1, None):
        Trainer(Watched(1, 1), loss="squared_error", threads=wanted, progress=False).fit(
            (x, x), epochs=1
        )
        assert during[-1] == (wanted or 2)
        assert torch.get_num_threads() == 2


def test_a_resumed_training_keeps_the_number_that_was_measured(tmp_path, monkeypatch):
    x = torch.zeros(8, 1)
    chosen = iter([2, 1])
    monkeypatch.setattr("neuropil.training.threads.faster", lambda *_, **__: next(chosen))
    for epochs in (1, 2):
        trainer = Trainer(
            nn.Linear(1, 1), loss="squared_error", progress=False, checkpoints=tmp_path
        )
        trainer.fit((x, x), epochs=epochs, resume=True)
        assert trainer.state_dict()["threads"] == 2
