"""Receptive fields against brute force: whatever changes an output must be inside its field.

Gradients do not pass through places, orders and masks; large changes of the input do.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neuropil.analysis import receptive_field, summary

LENGTH = 8


class Does(nn.Module):
    """Runs a function of the input and of one number for each position."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def pooled(x):
    return F.max_pool1d(x, 2, return_indices=True)


def square(x):
    return x.unflatten(2, (-1, 2)).flatten(0, 1)[:, None].repeat(1, 2, 1, 1)[:, :, :2]


def written(x):
    y = torch.zeros(1, 2, LENGTH, dtype=x.dtype)
    y[..., 2:] = x[..., :-2]
    return y


def buffered(x):
    buffer = torch.zeros_like(x)
    first = buffer[..., :2]
    first.copy_(x[..., :2])
    return buffer + 1


def filled(x):
    y = torch.zeros(1, 2, LENGTH, dtype=x.dtype)
    torch.cumsum(x, 2, out=y)
    return y + 1


def each_in_place(x):
    y = [torch.zeros(1, 2, LENGTH, dtype=x.dtype)]
    torch._foreach_add_(y, [x.flip(2)])
    return y[0] * 1


def lstm_from(x):
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 2, batch_first=True).to(x.dtype)
    state = x.mean(2)[None]
    return lstm(torch.ones(1, 3, 2, dtype=x.dtype), (state, state))[0]


def numpy_sorted(x):
    return torch.from_numpy(np.sort(x.numpy(), 2))


def whole(x):
    return (x[0, 0] > 0).long()


TABLE = torch.arange(20.0, dtype=torch.float64).reshape(10, 2)

WRITING = {"written", "written before a look", "out", "each in place"}
FUNCTIONS = {
    # Places
    "argmax": lambda x: x.argmax(2),
    "argmax of all": lambda x: x.argmax(),
    "argmin kept": lambda x: x.argmin(2, keepdim=True),
    "argmax of channels": lambda x: x.argmax(1),
    "max indices": lambda x: x.max(2).indices,
    "max indices of channels": lambda x: x.max(1)[1],
    "min indices": lambda x: x.min(2, keepdim=True)[1],
    "max of two": lambda x: torch.max(x, x.flip(2)),
    "maximum": lambda x: torch.maximum(x[..., 1:], x[..., :-1]),
    "median": lambda x: x.median(2).indices,
    "median of all": lambda x: x.median(),
    "nanmedian": lambda x: x.nanmedian(2)[1],
    "mode": lambda x: x.round().mode(2)[1],
    "mode default": lambda x: x.round().mode().values,
    "kthvalue": lambda x: x.kthvalue(3, 2)[1],
    "kthvalue default": lambda x: x.kthvalue(3)[0],
    "sort": lambda x: x.sort(2).indices,
    "sort values": lambda x: x.sort(2).values,
    "sort default": lambda x: x.sort()[1],
    "sort stable": lambda x: x.sort(stable=True, dim=2)[1],
    "sort of channels": lambda x: x.sort(1)[1],
    "argsort": lambda x: x.argsort(2),
    "msort": lambda x: x[0].mT.msort(),
    "channel shuffle": lambda x: F.channel_shuffle(x, 2),
    "unfold": lambda x: x.unfold(2, 3, 2),
    "unfold channels": lambda x: x.unfold(1, 2, 1),
    "cdist": lambda x: torch.cdist(x[..., :4].mT, x[..., 4:].mT),
    "many distances": lambda x: torch.cdist(x.mT.expand(1, 8, 2).repeat(1, 4, 1), x.mT),
    "vecdot": lambda x: torch.linalg.vecdot(x[..., :4], x[..., 4:]),
    "vecdot of channels": lambda x: torch.linalg.vecdot(x, x.flip(2), dim=1),
    "cosine similarity": lambda x: F.cosine_similarity(x, x.roll(1, 2)),
    "bilinear": lambda x: F.bilinear(x[..., :4], x[..., 4:], torch.ones(2, 4, 4).to(x)),
    "loss": lambda x: F.mse_loss(x[..., 1:], x[..., :-1]),
    "losses": lambda x: F.mse_loss(x[..., 1:], x[..., :-1], reduction="none"),
    "norm of some": lambda x: x[..., :3].norm(),
    "equal as a whole": lambda x: x[..., :2] * torch.equal(x[0, 0, 4:5].sign(), torch.ones(1)),
    "topk": lambda x: x.topk(2, 2).indices,
    "topk default": lambda x: x.topk(2)[0],
    "aminmax": lambda x: x.aminmax(dim=2).max,
    "cummax": lambda x: x.cummax(2).indices,
    "cummin": lambda x: x.cummin(2)[0],
    "cumsum": lambda x: x.cumsum(2),
    "cumsum of channels": lambda x: x.cumsum(1),
    "logcumsumexp": lambda x: x.logcumsumexp(2),
    "count_nonzero": lambda x: (x > 0).count_nonzero(2),
    "pooled indices": lambda x: pooled(x)[1],
    "adaptive indices": lambda x: F.adaptive_max_pool1d(x, 2, return_indices=True)[1],
    "pooled 2d indices": lambda x: F.max_pool2d(square(x), 2, return_indices=True)[1],
    "var_mean": lambda x: torch.var_mean(x, 2)[1],
    "std_mean of channels": lambda x: torch.std_mean(x, 1)[1],
    # What goes by places
    "unpool": lambda x: F.max_unpool1d(*pooled(x), 2),
    "unpool other": lambda x: F.max_unpool1d(
        torch.ones(1, 2, LENGTH // 2, dtype=x.dtype), pooled(x)[1], 2
    ),
    "gather": lambda x: x.gather(2, x.argsort(2)),
    "gather few": lambda x: x.gather(2, x.argmax(2, keepdim=True)),
    "gather of few channels": lambda x: x.gather(2, x[:, :1].argsort(2)),
    "gather constant": lambda x: torch.arange(8.0).expand(1, 2, 8).gather(2, x.argsort(2)),
    "take_along_dim": lambda x: torch.take_along_dim(x, (x > 0).long(), 2),
    "index_select": lambda x: x.index_select(2, whole(x)),
    "index_select of a table": lambda x: TABLE.index_select(0, whole(x)),
    "index": lambda x: x[:, :, whole(x)],
    "index of a table": lambda x: TABLE[whole(x)],
    "index pairs": lambda x: x[0, whole(x), whole(x)],
    "index apart": lambda x: x[whole(x) * 0, :, whole(x)],
    "index constant": lambda x: x[:, :, torch.tensor([5, 2])],
    "index matrix": lambda x: x[:, :, torch.tensor([[5, 2], [1, 1]])],
    "take": lambda x: x.take(whole(x)),
    "embedding": lambda x: F.embedding((x > 0).long(), TABLE),
    "embedding table": lambda x: F.embedding(torch.tensor([0, 1]), x[0]),
    "embedding of one": lambda x: F.embedding((x > 0).long(), TABLE)[0, 0],
    "embedding_bag": lambda x: F.embedding_bag((x[0] > 0).long(), TABLE),
    "one_hot": lambda x: F.one_hot((x > 0).long(), 3),
    "scatter": lambda x: torch.zeros(1, 2, 8).scatter(2, x.argmax(2, keepdim=True), 1.0),
    "scatter_add_": lambda x: torch.zeros_like(x).scatter_add_(2, x.argsort(2), x),
    "index_add": lambda x: torch.zeros_like(x).index_add(2, whole(x), x),
    "index_fill": lambda x: x.index_fill(2, whole(x), 3.0),
    "index_copy": lambda x: torch.zeros_like(x).index_copy(2, x[0, 0].argsort(), x),
    "index_put": lambda x: torch.zeros_like(x).index_put(
        (torch.tensor(0), torch.tensor(1), whole(x)), x[0, 0]
    ),
    "put": lambda x: torch.zeros_like(x).put(whole(x), x[0, 0]),
    "searchsorted": lambda x: torch.searchsorted(torch.tensor([-1.0, 0, 1]).double(), x),
    "searchsorted in it": lambda x: torch.searchsorted(x[0, 0].sort()[0], x[0, 1]),
    "bucketize": lambda x: torch.bucketize(x, torch.tensor([-1.0, 0, 1]).double()),
    "bucketize in it": lambda x: torch.bucketize(torch.ones(3).double(), x[0, 0].sort()[0]),
    # Masks
    "greater": lambda x: x > 0,
    "equal": lambda x: x.round() == x.flip(2).round(),
    "any": lambda x: (x > 2).any(2),
    "all of all": lambda x: (x > -2).all(),
    "where": lambda x: torch.where(x > 0, 1.0, 0.0),
    "where shifted": lambda x: torch.where(x.roll(1, 2) > 0, x, -x),
    "masked_fill": lambda x: torch.ones_like(x).masked_fill(x > 0, 0.0),
    "masked by a maximum": lambda x: x.masked_fill(x < x.amax(2, keepdim=True), 0.0),
    "masked_scatter": lambda x: torch.zeros_like(x).masked_scatter(x > 0, x),
    "nonzero": lambda x: (x > 0).nonzero(),
    "isin": lambda x: torch.isin(x.round(), torch.tensor([0.0, 1.0]).double()),
    "isin it": lambda x: torch.isin(torch.tensor([3.0, 4.0]).double(), x.round()),
    "sign": lambda x: x.sign(),
    "floor": lambda x: x.floor(),
    "histc": lambda x: x.histc(4, -2, 2),
    "bincount": lambda x: whole(x).bincount(minlength=3),
    "tril": lambda x: x.tril(),
    "unique": lambda x: x.round().clamp(-1, 1).unique(return_counts=True)[1],
    # What was computed where mostly weights and other settings stand
    "weights of a convolution": lambda x: F.conv1d(torch.ones_like(x), x[..., :3]),
    "bias of a convolution": lambda x: F.conv1d(x, torch.ones(1, 2, 1).double(), x.sum((1, 2))),
    "weights of units": lambda x: F.linear(x[..., :2], x[0, :, 2:4]),
    "weights of a normalisation": lambda x: F.layer_norm(
        torch.ones_like(x[..., :3]), (3,), x[0, 0, :3], x[0, 1, :3]
    ),
    "weights of prelu": lambda x: F.prelu(-torch.ones_like(x), x[0, :, 5]),
    "mask of attention": lambda x: F.scaled_dot_product_attention(
        *(torch.ones(1, 2, 8, 4).double() * torch.arange(8.0).double()[:, None],) * 3,
        attn_mask=x[:, :, None, :],
    ),
    "states of a recurrent layer": lstm_from,
    "product with a vector": lambda x: torch.ones(3, 8).double() @ x[0, 0],
    "chances": lambda x: torch.bernoulli((x > 0).double()),
    "full of one number": lambda x: torch.ones_like(x).fill_(x[0, 0, 3]),
    # Writing
    "written": written,
    "written before a look": buffered,
    "out": filled,
    "each in place": each_in_place,
    # Python
    "item": lambda x: torch.ones(3) * x[..., 2:4].max().item(),
    "branch": lambda x: x[..., :2] * (2 if x[0, 0, 5] > 0 else 3),
    "numpy": numpy_sorted,
    "list": lambda x: torch.tensor(sorted(x[0, 0].tolist())),
}


def changes(function):
    """Return for each number of the output which positions of the input change it, by force."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 2, LENGTH, dtype=torch.float64, generator=generator)
    given = function(x.clone()).flatten().double()
    moved = torch.zeros(len(given), LENGTH, dtype=torch.bool)
    for place in range(LENGTH):
        for size in (0.5, -1.0, 3.0, -20.0, 100.0):
            other = x.clone()
            other[..., place] += size * torch.tensor([1.0, -1.0]).double()
            found = function(other).flatten().double()
            # Where their number differs, all of them may.
            moved[:, place] |= found != given if len(found) == len(given) else True
    return moved


def inside(moved, field):
    """Tell whether the positions that change a single output lie in its field."""
    places = moved.nonzero()[:, 0]
    if field.everything or not len(places):
        return True
    first, last = field.start[0], field.start[0] + field.size[0] - 1
    return first <= int(places[0]) and int(places[-1]) <= last


# Of some it is known exactly: how many positions an output sees at the most.
EXACT = {
    "argmax": LENGTH,
    "argmax of channels": 1,
    "max indices of channels": 1,
    "sort of channels": 1,
    "std_mean of channels": 1,
    "pooled indices": 2,
    "cumsum of channels": 1,
    "one_hot": 1,
    "bucketize": 1,
    "embedding": 1,
    "greater": 1,
    "where": 1,
    "isin": 1,
    "maximum": 2,
    "unfold": 3,
    "losses": 2,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_changes_an_output_is_seen(name):
    function = FUNCTIONS[name]
    moved = changes(function)
    assert moved.any()
    if name in WRITING:
        with pytest.raises(ValueError, match="writes into a part of a tensor"):
            receptive_field(Does(function), input_shape=(2, LENGTH))
        return
    field = receptive_field(Does(function), input_shape=(2, LENGTH))
    spans = [row.nonzero()[[0, -1], 0] for row in moved if row.any()]
    assert field.size[0] >= max(int(last - first) + 1 for first, last in spans)
    assert field.size[0] == EXACT.get(name, field.size[0])
    for place in range(0, len(moved), max(len(moved) // 5, 1)):
        single = Does(lambda x, at=place: function(x).flatten()[at : at + 1])
        if moved[place].any():
            assert inside(moved[place], receptive_field(single, input_shape=(2, LENGTH)))


# Random chains of such operations

STEPS = {
    "shift": lambda x: x.roll(1, 2),
    "window": lambda x: F.avg_pool1d(x, 3, 1, 1),
    "maximum": lambda x: F.max_pool1d(x, 3, 1, 1),
    "place in a window": lambda x: (
        F.max_pool1d(x, 2, 2, return_indices=True)[1].double().repeat(1, 1, 2)
    ),
    "best channel": lambda x: x.argmax(1, keepdim=True).double().expand(1, 2, LENGTH),
    "half": lambda x: x * (torch.arange(LENGTH) < 4),
    "compared": lambda x: (x > x.roll(2, 2)).double(),
    "chosen": lambda x: torch.where(x > 0, x, x.roll(-1, 2)),
    "rank in the channel": lambda x: x.sort(1)[1].double(),
    "gathered channels": lambda x: x.gather(1, x.argsort(1)),
    "sum so far": lambda x: x.cumsum(2),
    "rounded": lambda x: x.round(),
    "table": lambda x: F.embedding((x > 0).long()[:, 0], TABLE).mT,
    "constant places": lambda x: x[:, :, [1, 0, 3, 2, 5, 4, 7, 6]],
}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([*STEPS]), min_size=1, max_size=4), st.integers(0, LENGTH - 1))
def test_chains_of_places_and_masks(names, place):
    def function(x):
        for name in names:
            x = STEPS[name](x)
        return x[0, :1, place]

    (moved,) = changes(function)
    if moved.any():
        assert inside(moved, receptive_field(Does(function), input_shape=(2, LENGTH)))


def test_numbers_in_the_hands_of_python_are_named():
    table = summary(Does(numpy_sorted), (2, LENGTH))
    assert "leaves PyTorch by Tensor.numpy is not counted" in table.notes[1]
    assert table.rows[0].sees_all


def test_buffers_that_are_written_are_not_constants():
    class Buffered(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("last", torch.zeros(1, 2, LENGTH))

        def forward(self, x):
            self.last[:, 0] = x.mean(1)
            return self.last + 1

    with pytest.raises(ValueError, match="writes into a part of a tensor"):
        receptive_field(Buffered(), input_shape=(2, LENGTH))
