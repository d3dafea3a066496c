"""The cost of modules that know nothing of Neuropil, against figures worked by hand."""

import csv
import json
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement import Parts
from tests.reference import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neuropil import ShapeError
from neuropil.analysis import cost, count_parameters, summary


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.rand(2))
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(2))

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = x + self.w[k] * layer(x)
        return x


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, x):
        for _ in range(4):
            x = self.layer(x)
        return x


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.rand(16, 8, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.w, padding=1)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Calls(nn.Module):
    """Runs a function, with parameters of its own if it has any."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(torch.rand(shape) for shape in shapes)

    def forward(self, *x):
        return self.function(*x, *self.weights)


CASES = {
    "nn.Linear(3, 8)": lambda: nn.Linear(3, 8),
    "x + w": Weighted,
    "one nn.Linear(64, 64) called 4 times": Tied,
    "F.conv2d": Functional,
    "nn.Conv2d(32, 64": lambda: nn.Sequential(
        nn.Conv2d(32, 64, 3, padding=1, groups=8, bias=False),
        nn.ConvTranspose2d(64, 16, 2, stride=2, bias=False),
    ),
    "nn.MultiheadAttention": SelfAttention,
    "nn.LSTM(32, 48": lambda: nn.LSTM(32, 48, batch_first=True),
    "torchvision vit_b_16": lambda: torchvision().models.vit_b_16(weights=None),
}


@pytest.fixture(scope="session")
def published(data):
    with (data / "published" / "cost_cases.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("start", CASES)
def test_published_cases_are_exact(published, start):
    (row,) = (row for row in published if row["module"].startswith(start))
    with torch.device("meta"):
        module = CASES[start]()
    shape = tuple(json.loads(row["input"]))
    for example in (shape[1:], torch.empty(shape, device="meta")):
        found = cost(module, example)
        assert found.multiply_adds == int(row["multiply_adds"])
        assert sum(layer.multiply_adds for layer in found.layers) == found.multiply_adds
    assert count_parameters(module) == int(row["parameters"])


def test_no_case_is_left_out(published):
    assert len(published) == len(CASES)


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (
            nn.GRU(8, 6, 2, bidirectional=True, batch_first=True),
            (5, 8),
            5 * 3 * 2 * 6 * (14 + 18),
        ),
        (nn.RNN(8, 6, batch_first=True), (5, 8), 5 * 6 * 14),
        (nn.LSTM(8, 6, proj_size=3, batch_first=True), (5, 8), 5 * (24 * 11 + 18)),
        (nn.LSTMCell(8, 6), (8,), 24 * 14),
        (nn.GRUCell(8, 6), (8,), 18 * 14),
        (nn.Conv1d(4, 6, 3, stride=2, dilation=2), (4, 21), 9 * 6 * 4 * 3),
        (nn.Conv3d(2, 4, 3, padding="same"), (2, 5, 5, 5), 125 * 4 * 54),
        (nn.ConvTranspose1d(6, 4, 3, stride=2, groups=2), (6, 7), 7 * 6 * 2 * 3),
        (Calls(lambda x: torch.einsum("bik,bjk->bij", x, x)), (5, 7), 5 * 5 * 7),
        (Calls(lambda x: x @ x.mT), (5, 7), 5 * 5 * 7),
        (Calls(lambda x, w: x @ w, 7), (5, 7), 35),
        (Calls(lambda x, w: torch.addmm(w[:4], x[0], w[4:]), (11, 4)), (5, 7), 5 * 7 * 4),
        (Calls(lambda x: F.scaled_dot_product_attention(x, x, x)), (2, 9, 4), 2 * 81 * 8),
        (Calls(lambda x: torch.tensordot(x, x, dims=([2], [2]))), (5, 7), 5 * 5 * 7),
        (nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3)), (6,), 6 * 12),
        (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)), (3, 8, 8), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_by_hand(module, shape, expected):
    assert cost(module, shape).multiply_adds == expected


def test_bilinear_layers():
    def function(x):
        return F.bilinear(x, x, torch.ones(5, 3, 3))

    assert cost(Calls(function), (3,)).multiply_adds == 5 * 3 * 4


def test_the_fused_kernels_of_a_real_run_count_the_same():
    class Real(nn.Module):
        """Looks at numbers, so that it must be run for real."""

        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) if float(x.sum()) < 1e9 else x

    layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
    expected = 50 * (4 * 64 * 64 + 2 * 64 * 128) + 2 * 50 * 50 * 64
    for module in (layer, SelfAttention(), nn.LSTM(64, 48, batch_first=True)):
        table = summary(Real(module), (50, 64))
        assert "real data" in table.notes[0]
        assert table.totals.multiply_adds == cost(module, (50, 64)).multiply_adds
    assert cost(layer, (50, 64)).multiply_adds == expected


def test_packed_sequences():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 6, batch_first=True)

        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(
                x, torch.tensor([5, 3]), batch_first=True
            )
            return self.lstm(packed)[0].data

    assert cost(Packed(), torch.zeros(2, 5, 8)).multiply_adds == 8 * 24 * 14


def test_a_batch_costs_as_many_times():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    one, three = cost(module, (3, 8, 8)), cost(module, torch.zeros(3, 3, 8, 8))
    assert three.multiply_adds == 3 * one.multiply_adds
    assert three.inference_bytes == 3 * one.inference_bytes
    assert three.training_bytes == 3 * one.training_bytes


def test_what_is_done_between_parts_stands_under_its_own_name():
    mixed = Parts(lambda own, x: own.first(x) @ torch.ones(3, 5), first=nn.Linear(4, 3))
    layers = {layer.name: layer.multiply_adds for layer in cost(mixed, (4,)).layers}
    assert layers == {"parts": 15, "first": 12}


def test_several_calls_have_names_of_their_own():
    layers = {layer.name: layer.multiply_adds for layer in cost(Tied(), (64,)).layers}
    assert layers == dict.fromkeys(["layer", "layer@2", "layer@3", "layer@4"], 4096)


def test_inputs_by_name_and_several_inputs():
    module = Calls(lambda x, y: x @ y)
    assert cost(module, ((2, 3), (3, 4))).multiply_adds == 24
    assert cost(module, (torch.ones(1, 2, 3), (3, 4))).multiply_adds == 24

    class Named(nn.Module):
        def forward(self, *, left, right):
            return left @ right

    assert (
        cost(Named(), {"left": torch.ones(2, 3), "right": torch.ones(3, 4)}).multiply_adds == 24
    )


def test_tensors_made_on_the_way_may_stand_on_the_cpu():
    def function(x):
        places = torch.arange(5.0)[:, None]
        return (x + places) @ torch.ones(3, 2) * (2 if int(places.sum()) == 10 else 1)

    table = summary(Calls(function), (5, 3))
    assert table.totals.multiply_adds == 30
    assert not table.notes


def test_wrapped_modules_are_seen_through():
    module = nn.Sequential(nn.Linear(4, 3))
    wrapped = torch.compile(nn.DataParallel(module), backend="eager")
    assert cost(wrapped, (4,)) == cost(module, (4,))
    assert count_parameters(wrapped) == 15


def test_strange_operations_are_named():
    @torch.library.custom_op("neuropil_test::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    twice.register_fake(torch.empty_like)
    table = summary(Calls(twice), (4,))
    assert "No formula is known for neuropil_test.twice.default" in table.notes[0]


# Complex numbers, sparse ones, groups, and what has no formula

SPARSE = torch.eye(4).to_sparse()


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        # A product of complex numbers is four of real ones.
        (lambda x: torch.complex(x, x) @ torch.complex(x, x).mT, (3, 5), 4 * 3 * 5 * 3),
        (lambda x: torch.complex(x, x)[0, 0].vdot(torch.complex(x, x)[0, 0]), (3, 5), 4 * 5),
        (lambda x: F.conv1d(*[torch.complex(x, x)] * 2), (3, 5), 4 * 3 * 5),
        (lambda x: torch.linalg.vecdot(x, x), (3, 5), 3 * 5),
        (lambda x: F.cosine_similarity(x[:, :, None], x[:, None], 3), (3, 5), 3 * 3 * 5),
        (lambda x: torch.inner(x, x), (3, 5), 3 * 3 * 5),
        (lambda x: torch.einsum("bij,bkj,bij->bik", x, x, x), (3, 5), 3 * 3 * 5),
        (lambda x: torch.cdist(x, x), (3, 5), 3 * 3 * 5),
        (lambda x: torch.cdist(x, x), (30, 5), 30 * 30 * 5),
        (lambda x: torch.cdist(x, x, 1.0), (3, 5), 0),
        (lambda x: F.pdist(x[0]), (4, 5), 6 * 5),
        (
            lambda x: torch.conv_tbc(x, torch.ones(2, 5, 7), torch.ones(7), 1),
            (3, 5),
            2 * 3 * 7 * 2 * 5,
        ),
        (
            lambda x: F.embedding_bag(
                torch.tensor([[0, 2, 1]]),
                x[0],
                mode="sum",
                per_sample_weights=torch.ones(1, 3),
            ),
            (3, 5),
            3 * 5,
        ),
        (lambda x: F.embedding_bag(torch.tensor([[0, 2, 1]]), x[0]), (3, 5), 0),
        (lambda x: torch.linalg.matrix_power(x, 3), (4, 4), 2 * 4**3),
        (lambda x: torch.linalg.multi_dot([x[0], x[0].T, x[0]]), (3, 5), 2 * 3 * 3 * 5),
        (lambda x: torch.sparse.mm(SPARSE, x[0]), (4, 3), 4 * 3),
        (lambda x: SPARSE.to_sparse_csr() @ x[0], (4, 3), 4 * 3),
        (lambda x: torch.sparse.mm(x[0].to_sparse(), torch.ones(3, 2)), (4, 3), 4 * 3 * 2),
    ],
)
def test_products_of_other_kinds(function, shape, expected):
    table = summary(Calls(function), shape)
    assert table.totals.multiply_adds == expected
    assert not [note for note in table.notes if "formula" in note]


def test_nested_tensors_count_one_by_one():
    def function(x, w):
        nested = torch.nested.nested_tensor([x[0], x[0, :2]])
        return F.linear(nested, w).to_padded_tensor(0.0)

    assert cost(Calls(function, (7, 3)), torch.ones(1, 4, 3)).multiply_adds == (4 + 2) * 3 * 7


class Attends(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x)


@st.composite
def keeping(draw):
    """Return a layer that takes (N, 4, 8) and gives the same shape."""
    size, stride = 2 * draw(st.integers(0, 2)) + 1, draw(st.sampled_from([1, 2]))
    groups = draw(st.sampled_from([1, 2, 4]))
    narrow = nn.Conv1d(4, 4, size, stride, size // 2, groups=groups, bias=draw(st.booleans()))
    wide = nn.ConvTranspose1d(4, 4, stride, stride, groups=groups)
    layers = [
        nn.Sequential(narrow, wide),
        nn.Linear(8, 8),
        nn.Sequential(nn.Linear(8, 3, bias=False), nn.GELU(), nn.Linear(3, 8)),
        Attends(),
        Calls(lambda x: x @ x.mT @ x),
        Calls(lambda x: torch.einsum("nij,nkj->nik", x, x)[..., :1] * x),
        Calls(lambda x, w: torch.baddbmm(x, w, x), (2, 4, 4)),
        nn.LayerNorm(8),
    ]
    return draw(st.sampled_from(layers))


@settings(max_examples=30, deadline=None)
@given(st.lists(keeping(), min_size=1, max_size=5))
def test_pytorchs_own_counter_counts_the_same(layers):
    module, x = nn.Sequential(*layers).eval(), torch.zeros(2, 4, 8)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    assert 2 * cost(module, x).multiply_adds == counter.get_total_flops()


def test_products_in_groups():
    tokens, experts = (
        torch.zeros(8, 16, dtype=torch.bfloat16),
        torch.zeros(3, 16, 32).bfloat16(),
    )
    ends = torch.tensor([2, 5, 8], dtype=torch.int32)

    def function(x, w):
        return torch._grouped_mm(x, w, offs=ends)

    assert cost(Calls(function), (tokens, experts)).multiply_adds == 8 * 16 * 32
    assert cost(Calls(function), (experts.mT, tokens.mT)).multiply_adds == 32 * 16 * 8
    assert cost(Calls(function), (tokens.mT, torch.zeros(8, 32).bfloat16())).multiply_adds == (
        16 * 8 * 32
    )


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (torch.fft.fft, "aten._fft_r2c.default"),
        (torch.linalg.inv, "aten.linalg_inv_ex.default"),
        (torch.linalg.svdvals, "aten._linalg_svd.default"),
        (torch.linalg.matrix_exp, "aten.linalg_matrix_exp.default"),
    ],
)
def test_products_without_a_formula_are_named(function, name):
    (note,) = summary(Calls(function), (4, 4)).notes[:1]
    assert note == f"No formula is known for {name}: its multiply–adds are not counted."


def test_quantised_modules():
    plain = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.ao.quantization.quantize_dynamic(plain, {nn.Linear}, dtype=torch.qint8)
    table = summary(module, (8,))
    assert table.totals.multiply_adds == 8 * 4 + 4 * 2
    assert "Run on real data" in table.notes[0]
    assert not [note for note in table.notes if "formula" in note]


def test_nothing_is_run_or_changed():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten())
    module[2].eval()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    keys = [sorted(vars(part)) for part in module.modules()]
    random = torch.get_rng_state()
    cost(module, (3, 8, 8))
    summary(module, torch.zeros(2, 3, 8, 8))
    assert torch.equal(random, torch.get_rng_state())
    assert modes == [part.training for part in module.modules()]
    assert keys == [sorted(vars(part)) for part in module.modules()]
    for key, value in module.state_dict().items():
        assert torch.equal(value, state[key])
        assert not value.is_meta
    assert all(parameter.grad is None for parameter in module.parameters())
    assert F.scaled_dot_product_attention is torch._C._nn.scaled_dot_product_attention


# What cannot be


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (
            None,
            r"give a shape without the batch, such as \(3, 224, 224\), or an example tensor",
        ),
        ((5,), r"Linear fails on an input of \(1, 5\), batch included: .*cannot be multiplied"),
        (torch.zeros(2, 7), r"Linear fails on an input of \(2, 7\): "),
        ((None, 4), r"every length known, .* got \(None, 4\)"),
        ((4, 0), "every length known"),
        ("4", "needs an example: .* got '4'"),
        ((), r"needs an example: .* got \(\)"),
        (4.5, "needs an example: .* got 4.5"),
        ((2**19, 2**19, 2**19, 4), "too large for any memory"),
    ],
)
def test_wrong_examples(example, words):
    with pytest.raises(ShapeError, match=words):
        cost(nn.Linear(4, 3), example)


def test_modules_that_fail_on_numbers_too():
    module = Calls(lambda x: x.view(3, int(x.sum() > 0) + 1))
    with pytest.raises(
        ShapeError, match=r"Calls fails on an input of \(1, 4\).*invalid for input"
    ):
        cost(module, (4,))


def test_weights_without_numbers_cannot_decide():
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(4, 4), Calls(lambda x: x if x.sum() > 0 else -x))
    with pytest.raises(ShapeError, match="its weights are on the meta device and hold no data"):
        cost(module, (4,))


def test_modules_without_tensors_or_shapes():
    with pytest.raises(ShapeError, match="its output, a str, holds no tensor"):
        cost(Calls(lambda x: "done"), (4,))
    with pytest.raises(ValueError, match="'weight' has no shape yet: run the module once"):
        count_parameters(nn.LazyLinear(3))


def test_hidden_modules_are_refused():
    class Script(torch.jit.ScriptModule):
        pass

    with pytest.raises(TypeError, match="a TorchScript module hides its operations"):
        cost(Script(), (4,))
