"""Warnings of probabilities that a loss takes for scores, as a second softmax does."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.core import Network
from neuropil.layers import (
    Dropout,
    Flatten,
    GlobalPooling,
    HardSigmoid,
    Identity,
    Module,
    Reshape,
    Sigmoid,
    Softmax,
    Transpose,
)
from neuropil.training.losses.base import Custom
from neuropil.training.losses.score_views import last_nodes, without_activation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.losses.base import Loss

# Layers whose outputs are probabilities. `Network.scores` removes a last Softmax or Sigmoid of
# ours, but not those of torch.
PROBABILITIES = (
    *(nn.Sigmoid, nn.Softmax, nn.Softmax2d, nn.Hardsigmoid),
    *(HardSigmoid, Sigmoid, Softmax),
)
# Layers that keep probabilities as they are, so the layer before them is checked.
PASSING = (
    *(nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout),
    *(Dropout, Flatten, GlobalPooling, Identity, Reshape, Transpose),
)
# Functions of torch whose results are probabilities, and functions that take scores.
MAKERS = {"softmax", "sigmoid", "hardsigmoid", "sigmoid_", "softmax2d"}
TAKERS = {
    *("softmax", "log_softmax", "cross_entropy", "cross_entropy_loss", "nll_loss"),
    *("sigmoid", "logsigmoid", "log_sigmoid", "binary_cross_entropy_with_logits"),
}


def warn_of_probabilities(module: nn.Module, takers: Sequence[Any]) -> bool:
    """Warn if a loss or metric that takes scores gets probabilities; return whether it does.

    Args:
        module: The network, whose last layer may be a sigmoid or softmax of torch.
        takers: Losses and metrics.
    """
    taker = next((each.name for each in takers if each.takes == "scores"), None)
    if taker is None or (isinstance(module, Network) and any(without_activation(module))):
        return False
    last = last_module(module)
    if not isinstance(last, PROBABILITIES):
        return False
    name = type(last).__name__
    warnings.warn(
        f"{taker} takes scores, but the network ends in {name}, whose outputs are "
        f"probabilities: remove {name}, or use neuropil.layers.Softmax or Sigmoid, which "
        f"the trainer removes for the loss.",
        stacklevel=2,
    )
    return True


def last_module(module: nn.Module) -> nn.Module:
    """Return the last module that computes the outputs, as far as it can be determined."""
    while True:
        if isinstance(module, Network) and len(module.graph.outputs) == 1:
            module = last_maker(module)
        elif isinstance(module, Module):
            module = module.module
        elif isinstance(module, nn.Sequential) and len(module):
            makers = [part for part in module if not isinstance(part, PASSING)]
            module = makers[-1] if makers else module[-1]
        else:
            return module


def last_maker(network: Network) -> nn.Module:
    """Return the last layer of a network with one output, skipping those of `PASSING`."""
    node = last_nodes(network)[0]
    while isinstance(node.layer, PASSING) and node.inputs and node.inputs[0] >= 0:
        node = network.nodes[node.inputs[0]]
    return node.layer


@final
class SecondSoftmax(TorchFunctionMode):
    """Watches one forward pass and loss for a function of scores that gets probabilities.

    Args:
        loss: The loss.
        removes: Whether the trainer can give the loss the scores before a last softmax.
    """

    def __init__(self, loss: Loss, *, removes: bool) -> None:
        super().__init__()
        self.loss = loss
        self.removes = removes
        self.in_loss = False
        # Probabilities by address; they are kept, so that no address is used again.
        self.probabilities: dict[int, tuple[str, Tensor]] = {}

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if self.in_loss and name in TAKERS and args and isinstance(args[0], Tensor):
            maker, _ = self.probabilities.get(args[0].data_ptr(), ("", None))
            if maker:
                self.warn(maker, name)
        result = func(*args, **(kwargs or {}))
        if name in MAKERS and isinstance(result, Tensor):
            self.probabilities[result.data_ptr()] = name, result
        return result

    def warn(self, maker: str, taker: str) -> None:
        """Warn of the function that gets probabilities, once."""
        self.probabilities.clear()
        name, takes, fix = self.loss.name, "scores", f"remove the {maker} from the network"
        if self.removes:
            fix = f'set {name}.takes = "scores", so that it gets the outputs before the {maker}'
        if taker == "nll_loss":
            takes, fix = "log-probabilities", "take their logarithms"
        calls = f"calls {taker}, which" if type(self.loss) is Custom else ""
        warnings.warn(
            f"the loss {name} {calls} takes {takes}, but gets probabilities, the outputs of a "
            f"{maker}: {fix}.".replace("  ", " "),
            stacklevel=2,
        )


def watching_first_call(
    evaluate: Callable[[Callable[..., Any]], Callable[..., Any]],
    forward: Callable[..., Any],
    loss: Loss,
    *,
    removes: bool,
) -> Callable[..., Any]:
    """Return a function of batches that watches its first call for a second softmax.

    Args:
        evaluate: Makes the function of batches from one of inputs.
        forward: The network.
        loss: The loss.
        removes: Whether the trainer can give the loss the scores before a last softmax.
    """
    plain = evaluate(forward)
    first = True

    def call(*batch: Any) -> Any:
        nonlocal first
        if not first:
            return plain(*batch)
        first = False
        watch = SecondSoftmax(loss, removes=removes)

        def watched(*inputs: Any) -> Any:
            scores = forward(*inputs)
            watch.in_loss = True
            return scores

        with watch:
            return evaluate(watched)(*batch)

    return call
