"""The number of threads follows from the network and the batch, never from a clock."""

import pytest
import torch
from torch import nn

from neuropil.layers import LSTM, Convolution, Dropout, Flatten, Input, Relu, Softmax
from neuropil.training import Trainer
from neuropil.training.threads import WORK, choose_threads, use_threads


@pytest.fixture(autouse=True)
def eight_threads():
    with use_threads(8):
        yield


def test_choosing_changes_neither_weights_nor_random_states():
    network = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)
    )
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    choose_threads(network, (torch.ones(2, 4),), 16)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network.training
    assert torch.get_num_threads() == 8


@pytest.mark.parametrize(
    ("network", "shape", "products"),
    [
        (nn.Linear(1000, 100), (1000,), 100_000),
        (nn.Sequential(nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 30)), (10,), 200),
        (Input(10) >> Relu(10) >> Dropout(0.5) >> Softmax(30), (10,), 200),
        (Input(1, 6, 6) >> Convolution(2, 3) >> Flatten() >> Softmax(9), (1, 6, 6), 288),
    ],
)
def test_a_thread_gets_ten_million_multiply_adds_in_the_mean_layer(network, shape, products):
    examples = (torch.zeros(2, *shape),)
    enough = WORK // products
    for batch_size, threads in ((1, 1), (enough, 1), (3 * enough + 3, 3), (99 * enough, 8)):
        assert choose_threads(network, examples, batch_size) == threads


def test_a_network_without_weights_or_known_products_gets_one_thread():
    assert choose_threads(nn.ReLU(), (torch.zeros(2, 3),), 10**9) == 1
    assert choose_threads(Input(5, 3) >> LSTM(2), (torch.zeros(2, 5, 3),), 1) == 1


def test_no_clock_is_read(monkeypatch):
    def clock():
        raise AssertionError("what else the machine does must not matter")

    for name in ("perf_counter", "monotonic", "time", "process_time"):
        monkeypatch.setattr(f"time.{name}", clock)
    assert choose_threads(nn.Linear(1000, 1000), (torch.zeros(2, 1000),), 35) == 3


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
        assert during[-1] == (wanted or 8)
        assert torch.get_num_threads() == 8


def test_a_resumed_training_keeps_its_number_where_torch_has_another(tmp_path, monkeypatch):
    monkeypatch.setattr("neuropil.training.threads.WORK", 1)
    x = torch.zeros(8, 1)
    for epochs, most in ((1, 2), (2, 8)):
        torch.set_num_threads(most)
        trainer = Trainer(
            nn.Linear(1, 1), loss="squared_error", progress=False, checkpoints=tmp_path
        )
        trainer.fit((x, x), epochs=epochs, resume=True)
        assert trainer.state_dict()["threads"] == 2
