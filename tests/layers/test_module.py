"""Any PyTorch module as a layer: its shapes, its parameters, what it must not do."""

import copy
import pickle

import pytest
import torch
from tests.agreement import Does
from torch import nn

from neuropil.core import Network, ShapeError
from neuropil.layers import Flatten, GlobalPooling, Input, Module, Relu, Softmax


class Shifted(nn.Module):
    """Holds a tensor that is neither parameter nor buffer."""

    def __init__(self):
        super().__init__()
        self.shift = torch.tensor([1.0, 2.0, 3.0])

    def forward(self, x):
        return x + self.shift


class Auxiliary(nn.Module):
    """Gives a second output in training, as networks with auxiliary heads do."""

    def forward(self, x):
        return (x, x) if self.training else x


CONV = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU())
CASES = [
    (nn.Linear(6, 4), (5, 6), (5, 4)),
    (CONV, (3, 32, 20), (8, 14, 8)),
    (CONV, (3, None, 20), (8, None, 8)),
    (nn.Sequential(CONV, nn.AdaptiveAvgPool2d(1), nn.Flatten()), (3, None, None), (8,)),
    (nn.Sequential(nn.MaxPool1d(64), nn.MaxPool1d(2)), (3, None), (3, None)),
    (nn.Flatten(), (3, None, 2), (None,)),
    (nn.AdaptiveMaxPool1d(7), (3, None), (3, 7)),
    (Shifted(), (3,), (3,)),
]


@pytest.mark.parametrize(("module", "shape", "expected"), CASES, ids=str)
def test_its_shape_is_what_it_gives(module, shape, expected):
    network = Input(*shape) >> Module(module)
    assert network.output_shape == expected
    for free in (160, 257):
        x = torch.zeros(2, *(n or free for n in shape))
        assert all(w in (None, h) for w, h in zip(expected, network(x).shape[1:], strict=True))


def test_it_joins_with_the_rest():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    network = Input(3, 8, 8) >> Module(body) >> GlobalPooling("avg") >> Softmax(5)
    first, second, *_ = network.state_dict()
    assert (first, second) == ("module1.module.0.weight", "module1.module.0.bias")
    x = torch.randn(2, 3, 8, 8)
    head = network.after("module1")
    torch.testing.assert_close(network(x), head(body(x)))
    network(x).log().sum().backward()
    assert all(p.grad is not None for p in body.parameters())


def test_joining_leaves_the_module_as_it_was():
    module = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))
    module[1].eval()
    before = copy.deepcopy(module.state_dict())
    network = Input(3) >> Module(module) >> Relu(2)
    assert [part.training for part in module.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert all(p.device.type == "cpu" for p in module.parameters())
    assert network.nodes[1].layer.module is module


def test_its_shape_is_that_of_test_mode():
    aux = Auxiliary()
    assert (Input(5) >> Module(aux)).output_shape == (5,)


def test_modules_of_any_size_cost_nothing_to_ask():
    with torch.device("meta"):
        huge = nn.Linear(300_000, 300_000)
    layer = Module(huge)
    assert layer.output_shape((300_000,)) == (300_000,)
    assert layer.multiply_adds((300_000,)) == 300_000**2


def test_several_inputs():
    network = (Input(3) | Input(4)) >> Module(nn.Bilinear(3, 4, 5))
    assert network.output_shape == (5,)
    one, two = torch.ones(2, 3), torch.ones(2, 4)
    assert torch.equal(network(one, two), network.nodes[-1].layer.module(one, two))
    with pytest.raises(ShapeError, match=r"Module\(Bilinear\(…\)\) fails on \(3\)"):
        Input(3) >> Module(nn.Bilinear(3, 4, 5))


def test_indices_come_in_and_floats_go_out():
    network = Input(7, dtype="int64") >> Module(nn.Embedding(10, 4), dtype="int64") >> Relu(3)
    assert network(torch.zeros(2, 7, dtype=torch.int64)).shape == (2, 7, 3)
    with pytest.raises(ShapeError, match="takes integers"):
        Input(7) >> Module(nn.Embedding(10, 4), dtype="int64")


def test_the_cost_is_that_of_its_products():
    layer = Module(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 5)))
    assert layer.multiply_adds((3, 4, 4)) == 3 * 9 * 8 * 4 + 32 * 5


def test_copies_have_weights_of_their_own():
    network = Input(3) >> Module(nn.Linear(3, 2)) >> Flatten()
    x = torch.ones(1, 3)
    copies = [copy.deepcopy(network), pickle.loads(pickle.dumps(network))]
    expected = network(x).detach()
    with torch.no_grad():
        for p in network.parameters():
            p.zero_()
    assert not network(x).any()
    for other in copies:
        torch.testing.assert_close(other(x), expected)
    unbuilt = Module(nn.Linear(3, 2))
    assert unbuilt.fresh().module is not unbuilt.module


def test_double_precision_goes_through():
    network = (Input(3) >> Module(nn.Linear(3, 2))).double()
    assert network(torch.ones(1, 3)).dtype == torch.float64
    assert (Input(3) >> Module(nn.Linear(3, 2).double())).output_shape == (2,)


def test_drawing_parameters_anew_spares_what_is_frozen():
    torch.manual_seed(0)
    body, head = nn.Linear(3, 4).requires_grad_(False), nn.Linear(4, 2)
    before = [p.detach().clone() for p in (*body.parameters(), *head.parameters())]
    network = Input(3) >> Module(nn.Sequential(body, head))
    state = torch.get_rng_state()
    network.reset_parameters(torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert [torch.equal(p, b) for p, b in zip(network.parameters(), before, strict=True)] == [
        True, True, False, False,
    ]  # fmt: skip
    drawn = [p.detach().clone() for p in network.parameters()]
    network.reset_parameters(torch.Generator().manual_seed(1))
    assert all(torch.equal(p, d) for p, d in zip(network.parameters(), drawn, strict=True))


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (
            nn.Linear(6, 4),
            (5,),
            r"Input\(5\) gives \(5\)\. Module\(Linear\(…\)\) fails on \(5\)",
        ),
        (nn.Linear(6, 4), (None,), r"Module\(Linear\(…\)\) fails on \(None\)"),
        (nn.GRU(3, 4), (5, 3), r"Module\(GRU\(…\)\) returns a tuple: wrap it so that"),
        (
            Does(lambda x: x.sum(0)),
            (5, 3),
            r"returns \(5, 3\) for a batch of 2: its first axis",
        ),
        (Does(lambda x: x.sum(1)), (5,), r"returns \(2,\) for a batch of 2.*must be another"),
        (Does(lambda x: x[x > 0]), (5,), "Does"),
        (
            Does(lambda x: 1 / 0),
            (5,),
            r"Module\(Does\(…\)\) fails on \(5\): division by zero\.$",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_in_one_line(module, shape, message):
    with pytest.raises(ShapeError, match=message) as raised:
        Input(*shape) >> Module(module)
    assert "\n" not in str(raised.value)


def test_options_out_of_range_are_refused():
    for make, message in [
        (lambda: Module(torch.relu), "must be a torch.nn.Module, got builtin"),
        (lambda: Module(nn.Linear), "must be a torch.nn.Module, got type"),
        (lambda: Module(Relu(3)), r"join Relu\(3\) directly by >>"),
        (lambda: Module(Input(3) >> Relu(3)), "directly by >>, without Module"),
    ]:
        with pytest.raises(TypeError, match=message):
            make()
    with pytest.raises(ValueError, match="dtype must be 'float' or 'int64', got 'int8'"):
        Module(nn.Linear(3, 3), dtype="int8")


def test_it_is_printed_on_one_line_and_not_parsed():
    network = Input(3) >> Module(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), name="body")
    assert repr(network) == "Input(3) >> Module(Sequential(…), name='body')"
    assert repr(Module(nn.ReLU())) == "Module(ReLU())"
    with pytest.raises(ValueError, match="'print' needs brackets"):
        Network.parse("Module(print)")


@pytest.mark.parametrize("compose", [lambda a, b: a >> b, lambda a, b: a | b])
def test_a_module_that_is_not_wrapped_is_refused_with_the_wrapper(compose):
    with pytest.raises(TypeError, match=r"Conv2d is a module of PyTorch .* Module\(Conv2d\("):
        compose(Input(3, 8, 8), nn.Conv2d(3, 4, 3))
