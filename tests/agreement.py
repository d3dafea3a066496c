"""Comparisons that tests of several packages make."""

import copy
import pickle
from collections.abc import Callable
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
