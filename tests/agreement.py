"""Comparisons that tests of several packages make."""

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neuropil import Network


class Does(nn.Module):
    """A module that runs a function or another module, and of which no more is known."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


class Parts(nn.Module):
    """A module with named parts, whose forward pass is a function of itself and the inputs."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *inputs: Any) -> Any:
        return self.function(self, *inputs)


def same_compiled_exported_copied_and_saved(
    network: Network, x: Tensor, folder: Path, *, fullgraph: bool
) -> Callable[..., Any]:
    """Hold every other form of a network to its outputs, and return the compiled form."""
    expected = network(x)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=fullgraph)
    torch.testing.assert_close(compiled(x), expected)
    exported = torch.export.export(network.eval(), (x,))
    torch.testing.assert_close(exported.module()(x), expected)
    network.save(folder)
    for other in (
        copy.deepcopy(network),
        pickle.loads(pickle.dumps(network)),
        Network.load(folder),
    ):
        torch.testing.assert_close(other.eval()(x), expected, rtol=0, atol=0)
    return compiled


def answers_by_distance(model: Any, X: np.ndarray, distances: np.ndarray) -> None:
    """Hold what a map of units answers to the distances from every row to every unit."""
    np.testing.assert_allclose(model.transform(X), distances, atol=1e-7)
    np.testing.assert_array_equal(model.predict(X), distances.argmin(axis=1))
    assert model.quantization_error(X) == pytest.approx(distances.min(axis=1).mean())
    assert model.score(X) == -model.quantization_error(X)


def stays_where_nothing_is_lower(method: Callable[..., Any]) -> None:
    """Hold a method to its weights where each evaluation is worse than the one before."""
    w = nn.Parameter(torch.tensor([3.0, -2.0]))
    calls = iter(range(1000))
    optimizer = method([w])
    optimizer.step(lambda: w @ w + 100 * next(calls))
    assert optimizer.outcome.done
    assert optimizer.outcome.loss == 13
    assert w.tolist() == [3, -2]


def solves_quadratic(
    make: Callable[[list[nn.Parameter]], Any], A: Tensor, b: Tensor, steps: int, atol: float
) -> Any:
    """Hold a method to the minimum of ½wᵀAw − bᵀw within so many steps, and return it."""
    w = nn.Parameter(torch.zeros_like(b))
    optimizer = make([w])
    outcome = optimizer.minimize(lambda: w @ A @ w / 2 - b @ w)
    assert outcome.reason == "gradient"
    assert outcome.steps <= steps
    torch.testing.assert_close(w.detach(), torch.linalg.solve(A, b), atol=atol, rtol=0)
    return optimizer


def make_positive(network: nn.Module) -> nn.Module:
    """Give a network weights by which no two paths cancel, in double precision."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.double().parameters():
        nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
    return network


def footprints(module: nn.Module, *shape: int) -> Iterator[tuple[int, int, int]]:
    """Yield for each output of a signal's network the first and last input with a gradient."""
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    outputs = module(x)[0].sum(0)
    each = torch.eye(len(outputs), dtype=torch.float64)
    (gradients,) = torch.autograd.grad(outputs, x, each, is_grads_batched=True)
    for position, gradient in enumerate(gradients[:, 0].sum(1)):
        seen = gradient.nonzero()[:, 0]
        if len(seen):
            yield position, int(seen[0]), int(seen[-1])


def inner_footprints(module: nn.Module, field: Any, *shape: int) -> list[tuple[int, int, int]]:
    """Return the footprints near no border, by the receptive field that is to be tested."""
    (size,), (jump,), (start,) = field.size, field.jump, field.start
    return [
        (position, first, last)
        for position, first, last in footprints(make_positive(module).eval(), *shape)
        if start + jump * position - size > 0
        and start + jump * position + 2 * size < shape[-1] - 1
    ]
