"""Modules that do not run without numbers: a real run is the answer, whatever the reason."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuropil import ShapeError
from neuropil.analysis import (
    cost,
    diagram,
    effective_receptive_field,
    peak_memory,
    receptive_field,
    summary,
)
from neuropil.analysis.traced.runs import module_run


class Calls(nn.Module):
    """Runs a function of the input and of its parts."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, *x):
        return self.function(*x, *self.parts)


@torch.library.custom_op("neuropil_real::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def padded_encoder():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2)
    return Calls(lambda x, pad, encoder: encoder(x, src_key_padding_mask=pad), encoder)


def quantised(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = {nn.Linear, nn.LSTM}
        return torch.ao.quantization.quantize_dynamic(module, kinds, dtype=torch.qint8)


def conditioned(x, linear):
    return torch.cond(x.sum() > 0, linear.forward, lambda y: -linear(y), (x,))


def looped(x):
    def more(turn, _):
        return turn < 3

    def once(turn, y):
        return turn + 1, y @ torch.eye(4)

    return torch.while_loop(more, once, (torch.tensor(0), x))[1]


def gradient_of(x, linear):
    if not x.requires_grad:
        x = x.clone().requires_grad_()
    return torch.autograd.grad(linear(x).square().sum(), x, create_graph=True)[0]


PAD = torch.zeros(2, 5, dtype=torch.bool)
PAD[1, 3:] = True
SPARSE = torch.eye(4).to_sparse()
LAYER = 5 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 5 * 5 * 16

# Each with its multiply–adds.
MODULES = {
    "padding": (padded_encoder, (torch.zeros(2, 5, 16), PAD), 2 * 2 * LAYER),
    "quantised": (lambda: quantised(nn.Sequential(nn.Linear(8, 4))), (8,), 32),
    "custom": (lambda: Calls(twice), (4,), 0),
    "sparse": (lambda: Calls(lambda x: torch.sparse.mm(SPARSE, x[0])), (4, 3), 12),
    "made sparse": (
        lambda: Calls(lambda x: torch.sparse.mm(x.to_sparse(), torch.ones(3, 2))),
        torch.ones(4, 3),
        24,
    ),
    "nested": (
        lambda: Calls(
            lambda x: torch.nested.nested_tensor([x[0], x[0, :2]]).to_padded_tensor(0.0)
        ),
        torch.zeros(1, 4, 3),
        0,
    ),
    "condition": (lambda: Calls(conditioned, nn.Linear(4, 3)), (4,), 12),
    "loop": (lambda: Calls(looped), (4,), 3 * 16),
    "embedding": (lambda: nn.Embedding(10, 4), (5,), 0),
    "sparse embedding": (lambda: nn.Embedding(10, 4, sparse=True), (5,), 0),
    "embedding that looks": (
        lambda: Calls(lambda x, e: e(x) if x.max() >= 0 else -e(x), nn.Embedding(10, 4)),
        (5,),
        0,
    ),
    "indices and floats": (
        lambda: Calls(lambda i, x, e, u: u(e(i) + x), nn.Embedding(10, 4), nn.Linear(4, 3)),
        ((5,), (5, 4)),
        60,
    ),
    "floats and indices": (
        lambda: Calls(lambda x, i, e, u: u(e(i) + x), nn.Embedding(10, 4), nn.Linear(4, 3)),
        ((5, 4), (5,)),
        60,
    ),
    "one hot": (lambda: Calls(lambda x: F.one_hot(x, 5).float()), (4,), 0),
    "item": (lambda: Calls(lambda x: x * x.max().item()), (4,), 0),
    "list": (lambda: Calls(lambda x: x * x.tolist()[0][0]), (4,), 0),
    "mask": (lambda: Calls(lambda x, u: u(x[x.sum(1) < 1e9]), nn.Linear(4, 3)), (4,), 12),
    "numpy": (
        lambda: Calls(lambda x, u: u(torch.from_numpy(np.sort(x.detach()))), nn.Linear(4, 3)),
        (4,),
        12,
    ),
    "gradients": (lambda: Calls(gradient_of, nn.Linear(4, 3)), (4,), 24),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_real_run_is_the_answer(name):
    make, example, expected = MODULES[name]
    module = make()
    found = cost(module, example)
    assert found.multiply_adds == expected
    assert found.training_bytes is not None
    table = summary(module, example)
    assert table.totals.multiply_adds == expected
    peak = peak_memory(module, example)
    assert 0 < peak.inference <= peak.training or name == "gradients"
    assert diagram(module, example)


def test_the_reason_is_named():
    notes = summary(Calls(lambda x: x * x.max().item()), (4,)).notes
    assert notes[0].startswith("Run on real data, since it cannot run on the meta device: ")
    assert len(notes) == 1


def test_padding_makes_no_difference_to_the_figures():
    module = padded_encoder()
    none = torch.zeros(2, 5, dtype=torch.bool)
    one, other = (cost(module, (torch.zeros(2, 5, 16), pad)) for pad in (PAD, none))
    assert one == other
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("module", "example", "words"),
    [
        (nn.Linear(4, 3), (5,), r"Linear fails on an input of \(1, 5\), .* multiplied"),
        (quantised(nn.Sequential(nn.Linear(8, 4))), (7,), r"Sequential fails .* \(1, 7\)"),
        (nn.Sequential(nn.Embedding(9, 4), nn.Linear(5, 1)), (3,), r"fails .* multiplied"),
        (Calls(lambda x: x.nothing), (3,), "has no attribute 'nothing'"),
        (Calls(lambda x: x.tolist()[9]), (3,), "list index out of range"),
    ],
)
def test_errors_are_the_modules_own_in_one_line(module, example, words):
    for function in (cost, summary, peak_memory, receptive_field, diagram):
        with pytest.raises(ShapeError, match=words) as error:
            function(module, example) if function is not receptive_field else function(
                module, input_shape=example
            )
        assert "\n" not in str(error.value)


def test_a_real_run_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr("neuropil.core.free_memory.free_memory", lambda: 1000)
    module = Calls(lambda x, u: u(x) if x.sum() > 0 else u(-x), nn.Linear(40, 30))
    with pytest.raises(MemoryError, match=r"Calls, to be run on real data, needs 5.08 kB"):
        cost(module, (40,))


def test_integers_have_no_gradient():
    with pytest.raises(
        ValueError, match="'input' holds integers: gradients need floating-point inputs"
    ):
        effective_receptive_field(nn.Embedding(9, 4), input_shape=(3, 4))
    assert receptive_field(nn.Embedding(9, 4), input_shape=(3, 4)).size == (1,)


def test_packed_weights_are_named():
    (note,) = summary(quantised(nn.Sequential(nn.Linear(8, 4))), (8,)).notes[-1:]
    assert note == "Quantised weights are packed and are not counted as parameters."


def test_what_cannot_help_is_not_tried_again(monkeypatch):
    runs = []
    original = module_run.run_replica
    monkeypatch.setattr(
        module_run,
        "run_replica",
        lambda *a, **k: runs.append(a[2].tensors[0]) or original(*a, **k),
    )
    with pytest.raises(ShapeError, match="multiplied"):
        cost(nn.Linear(4, 3), (5,))
    assert len([x for x in runs if not x.is_meta]) == 1
