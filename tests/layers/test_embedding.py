"""Embedding: torch's under equal weights, padding, indices out of range."""

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Embedding, Flatten, Input, Linear


@pytest.mark.parametrize("padding_idx", [None, 2])
def test_vectors_and_gradients_are_torchs(padding_idx):
    ours = Embedding(7, 3, padding_idx=padding_idx)
    _ = Input(None, dtype="int64") >> ours
    theirs = nn.Embedding(7, 3, padding_idx=padding_idx)
    theirs.load_state_dict(ours.state_dict())
    x, factors = torch.tensor([[0, 2, 6], [2, 2, 1]]), torch.randn(2, 3, 3)
    for layer in (ours, theirs):
        (layer(x) * factors).sum().backward()
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=0, atol=0)


def test_the_padding_starts_at_zero_and_stays_there():
    layer = Embedding(5, 4, padding_idx=3)
    network = Input(2, dtype="int64") >> layer >> Flatten() >> Linear(1)
    assert layer.weight[3].count_nonzero() == 0
    assert layer.weight[2].count_nonzero() == 4
    network.reset_parameters()
    network(torch.tensor([[3, 1]])).sum().backward()
    assert layer.weight[3].count_nonzero() == layer.weight.grad[3].count_nonzero() == 0
    assert layer.weight.grad[1].count_nonzero() == 4


def test_vectors_start_with_unit_variance():
    torch.manual_seed(0)
    layer = Embedding(500, 40)
    _ = Input(1, dtype="int64") >> layer
    assert layer.weight.mean().item() == pytest.approx(0, abs=0.02)
    assert layer.weight.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_every_type_of_index_is_taken(dtype):
    name = str(dtype).removeprefix("torch.")
    network = Input(2, dtype=name) >> Embedding(200, 4)
    x = torch.tensor([[3, 199]])
    torch.testing.assert_close(network(x.to(dtype)), network(x), rtol=0, atol=0)


@pytest.mark.parametrize(("indices", "bad"), [([0, 5], 5), ([-1, 4], -1), ([9, -2], -2)])
def test_an_index_without_a_row_is_named(indices, bad):
    network = Input(2, dtype="int64") >> Embedding(5, 4)
    with pytest.raises(IndexError, match=rf"Embedding\(5, 4\) takes .* 0 to 4, got {bad}\."):
        network(torch.tensor([indices]))


def test_wrong_use_is_refused():
    with pytest.raises(ShapeError, match=r"takes integers, .* declare the input with dtype"):
        Input(5) >> Embedding(5, 4)
    with pytest.raises(
        ShapeError, match=r"needs a vector of indices \(T\), got \(3, 4\): put Fl"
    ):
        Input(3, 4, dtype="int64") >> Embedding(5, 4)
    with pytest.raises(ValueError, match="padding_idx must be below the 5 entries, got 5"):
        Embedding(5, 4, padding_idx=5)
    with pytest.raises(ValueError, match="Embedding: entries must be a whole number"):
        Embedding(0, 4)
