"""The Jacobian of a closure's residuals, against torch's own and numerical differences."""

import pytest
import torch
from tests.agreement import Parts
from torch import Tensor, nn

from neuropil.layers import LSTM, BatchNorm, Convolution, Flatten, Input, Linear, Relu, Tanh
from neuropil.optim.least_squares.jacobian import Jacobian, by_columns, by_rows


def twice():
    """Return one layer that is used twice, and once more on its own output."""
    return Parts(
        lambda own, x: own.layer(torch.tanh(own.layer(x))) + own.layer(x).square(),
        layer=nn.Linear(3, 3),
    )


def unused():
    return Parts(lambda own, x: own.first(x), first=nn.Linear(3, 2), idle=nn.Linear(4, 4))


def reused():
    """Return a weight that is also used outside of the layer, where no product is seen."""
    return Parts(lambda own, x: own.layer(x) * own.layer.weight.sum(), layer=nn.Linear(3, 3))


NETWORKS = {
    "linear": ((3,), lambda: nn.Linear(3, 1)),
    "two layers": ((3,), lambda: Input(3) >> Tanh(5) >> Linear(2)),
    "no bias": ((3,), lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2))),
    "in place": ((3,), lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(True), nn.Linear(4, 1))),
    "sequence": ((4, 3), lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))),
    "signal": ((2, 9), lambda: Input(2, 9) >> Convolution(3, 4) >> Flatten() >> Linear(2)),
    "image": (
        (2, 7, 7),
        lambda: (
            Input(2, 7, 7) >> Convolution(4, 3, padding="same", stride=2) >> Relu()
            >> Convolution(4, 2, groups=2, dilation=2) >> Flatten() >> Linear(2)
        ),
    ),
    "volume": (
        (1, 4, 4, 4), lambda: Input(1, 4, 4, 4) >> Convolution(2, 3) >> Flatten() >> Linear(1)
    ),
    "batch norm, test": ((3,), lambda: nn.Sequential(nn.Linear(3, 4), still()).eval()),
    "batch norm, training": ((3,), lambda: nn.Sequential(nn.Linear(3, 4), still())),
    "scale and shift": ((3,), lambda: Input(3) >> Tanh(4) >> BatchNorm() >> Linear(1)),
    "shared": ((3,), twice),
    "shared elsewhere": ((3,), reused),
    "unused": ((3,), unused),
    "recurrent": ((5, 3), lambda: Input(5, 3) >> LSTM(4) >> Linear(1)),
}  # fmt: skip
# Their rows of J are not products of what one pass backward gives.
GENERAL = {"batch norm, training", "scale and shift", "shared elsewhere", "recurrent"}


def still() -> nn.Module:
    return nn.BatchNorm1d(4, affine=False)


def made(name: str, dtype: torch.dtype) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    shape, build = NETWORKS[name]
    return build().to(dtype), torch.randn(6, *shape, dtype=dtype)


def jacobian(parameters, closure) -> tuple[Tensor, Jacobian]:
    found = Jacobian(parameters)
    blocks = [block for r in found.portions(closure) for block in found.blocks(r)]
    return torch.cat(blocks), found


def reference(network: nn.Module, x: Tensor) -> Tensor:
    names = [name for name, p in network.named_parameters() if p.requires_grad]
    values = tuple(p.detach() for p in network.parameters() if p.requires_grad)

    def outputs(*given):
        named = dict(zip(names, given, strict=True))
        return torch.func.functional_call(network, named, x).flatten()

    found = torch.autograd.functional.jacobian(outputs, values)
    return torch.cat([part.flatten(1) for part in found], 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", NETWORKS)
def test_is_the_jacobian(name, dtype):
    network, x = made(name, dtype)
    parameters = list(network.parameters())
    found, how = jacobian(parameters, lambda: network(x).flatten())
    torch.testing.assert_close(found, reference(network, x))
    assert bool(how.trusted) == (name not in GENERAL)


def test_is_what_differences_give():
    network, x = made("image", torch.float64)
    parameters = list(network.parameters())
    found, _ = jacobian(parameters, lambda: network(x).flatten())
    w = nn.utils.parameters_to_vector(parameters).detach()
    columns, h = [], 1e-6
    with torch.no_grad():
        for direction in torch.eye(len(w), dtype=torch.float64):
            values = []
            for sign in (1, -1):
                nn.utils.vector_to_parameters(w + sign * h * direction, parameters)
                values.append(network(x).flatten())
            columns.append((values[0] - values[1]) / (2 * h))
    torch.testing.assert_close(found, torch.stack(columns, 1), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["two layers", "image", "recurrent", "shared elsewhere"])
def test_rows_and_columns_are_of_one_matrix(name):
    network, x = made(name, torch.float64)
    parameters = list(network.parameters())
    residuals = network(x).flatten()
    rows = by_rows(residuals, parameters, range(len(residuals)))
    torch.testing.assert_close(by_columns(residuals, parameters), rows)


def test_more_rows_than_a_block_holds(monkeypatch):
    network, x = made("two layers", torch.float64)
    whole, _ = jacobian(list(network.parameters()), lambda: network(x).flatten())
    monkeypatch.setattr("neuropil.optim.least_squares.jacobian.BLOCK", 150)
    for axis in (0, 1):

        def closure(axis=axis):
            return network(x).transpose(0, axis).flatten()

        found = Jacobian(list(network.parameters()))
        blocks = [block for r in found.portions(closure) for block in found.blocks(r)]
        assert len(blocks) > 1
        again = torch.cat(blocks)
        order = again if found.trusted else again.view(2, 6, -1).transpose(0, 1).flatten(0, 1)
        torch.testing.assert_close(order, whole)


def test_few_weights_and_many_rows_take_single_columns():
    x = torch.linspace(0, 1, 50, dtype=torch.float64)
    b = nn.Parameter(torch.tensor([2.0, -1.0], dtype=torch.float64))
    found, _ = jacobian([b], lambda: b[0] * torch.exp(b[1] * x))
    exponential = torch.exp(-x)
    torch.testing.assert_close(found, torch.stack([exponential, 2 * x * exponential], 1))


def test_frozen_parameters_have_no_columns():
    network, x = made("two layers", torch.float64)
    next(network.parameters()).requires_grad_(False)
    free = [p for p in network.parameters() if p.requires_grad]
    found, how = jacobian(free, lambda: network(x).flatten())
    torch.testing.assert_close(found, reference(network, x))
    assert how.trusted


def test_other_functions_are_looked_at_again():
    network, x = made("batch norm, training", torch.float64)
    network.eval()
    found = Jacobian(list(network.parameters()))
    for training in (False, True, False):
        network.train(training)
        (r,) = found.portions(lambda: network(x).flatten())
        torch.testing.assert_close(torch.cat(list(found.blocks(r))), reference(network, x))


def test_portions_are_made_one_by_one():
    network, x = made("two layers", torch.float64)
    whole, _ = jacobian(list(network.parameters()), lambda: network(x).flatten())
    alive = []

    def closure():
        for rows in x.split(2):
            alive.append(len(alive))
            yield network(rows).flatten()

    found = Jacobian(list(network.parameters()))
    blocks = []
    for number, r in enumerate(found.portions(closure)):
        assert len(alive) == number + 1
        blocks += found.blocks(r)
    torch.testing.assert_close(torch.cat(blocks), whole)


def test_a_function_without_a_batched_or_second_derivative():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * torch.from_numpy(x.detach().numpy() ** 2)

    w = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    x = torch.arange(5.0, dtype=torch.float64)
    found, _ = jacobian([w], lambda: Cube.apply(w * x))
    torch.testing.assert_close(found, (12 * x**3)[:, None])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("name", ["two layers", "image", "batch norm, training"])
def test_on_an_accelerator(name):
    network, x = made(name, torch.float64)
    expected = reference(network, x)
    network, x = network.cuda(), x.cuda()
    found, _ = jacobian(list(network.parameters()), lambda: network(x).flatten())
    torch.testing.assert_close(found.cpu(), expected)
